import { EventEmitter } from 'node:events'

/** A handler of `ipcRenderer.invoke`. */
export type InvokeHandler = (event: object, ...args: unknown[]) => unknown

/** Electron's IpcMain: also what `webContents.ipc` and `frame.ipc` are. */
export class IpcMain extends EventEmitter {
  readonly #handlers = new Map<string, InvokeHandler>()

  constructor() {
    super()
    // As in Electron: 'error' is a channel like any other, and it throws nothing if it has no listener.
    this.on('error', () => {})
  }

  handle(channel: string, handler: InvokeHandler): void {
    if (this.#handlers.has(channel)) {
      throw new Error(`Attempted to register a second handler for '${channel}'`)
    }
    if (typeof handler !== 'function') {
      throw new TypeError(`Expected handler to be a function, but found type '${typeof handler}'`)
    }
    this.#handlers.set(channel, handler)
  }

  handleOnce(channel: string, handler: InvokeHandler): void {
    this.handle(channel, (event, ...args) => {
      this.removeHandler(channel)
      return handler(event, ...args)
    })
  }

  removeHandler(channel: string): void {
    this.#handlers.delete(channel)
  }

  /** The handler of a channel; Electron keeps this to itself. */
  static handlerOf(ipc: IpcMain, channel: string): InvokeHandler | undefined {
    return ipc.#handlers.get(channel)
  }
}
