import type { StructuredText } from '../structured-text.js'
import type { EmitterClass } from './event-emitter.js'
import type { FromWorld, ToWorld } from './messages.js'
import type { PortTransfers } from './port-transfers.js'
import type { WorldBridge } from './world-bridge.js'

/** A preload for a page: a function made of its file, or the reason why it can't be read. */
export interface PreloadFunction {
  readonly path: string
  readonly run: (...scope: unknown[]) => void
}

/** The functions that {@link runIsolatedWorld} uses. All of them are made in its world. */
export interface IsolatedWorldParts {
  readonly text: StructuredText
  readonly EventEmitter: EmitterClass
  readonly transfers: PortTransfers
  readonly bridge: WorldBridge
  /** Name of the DevTools binding that carries text to the main process. */
  readonly up: string
  /** Name of the function that the main process calls. */
  readonly down: string
  readonly process: Record<string, unknown>
  readonly preloads: readonly PreloadFunction[]
  readonly inSubFrames: boolean
}

/**
 * The renderer's half of Electron's IPC, and what surrounds a sandboxed preload: runs in the isolated
 * world of every document before the page's first script.
 *
 * Self-contained on purpose: its source is what runs in the page.
 */
export function runIsolatedWorld(parts: IsolatedWorldParts): void {
  const { text, EventEmitter, transfers, bridge } = parts
  const world = globalThis as unknown as Record<string, unknown>
  const binding = world[parts.up] as (said: string) => void
  const ports = new Map<string, MessagePort>()
  const invocations = new Map<number, { resolve(v: unknown): void; reject(e: unknown): void }>()
  let lastPort = 0
  let lastInvocation = 0

  function say(message: FromWorld): void {
    binding(text.stringify(message))
  }

  /** @returns a clone as Electron would send it. Throws if the value can't be cloned. */
  function cloned<T>(value: T): T {
    try {
      return structuredClone(value)
    } catch {
      throw new Error('An object could not be cloned.')
    }
  }

  /** Sends the messages of a port to the main process, which has a port with the same id. */
  function adopt(port: MessagePort, id = `r${++lastPort}`): string {
    ports.set(id, port)
    port.addEventListener('message', ({ data, ports: moved }) => {
      say({ type: 'port-message', port: id, data, ports: moved.map((each) => adopt(each)) })
    })
    port.addEventListener('close', () => {
      if (ports.delete(id)) say({ type: 'port-close', port: id })
    })
    port.start()
    return id
  }

  /** A port for this side, of one that stands in the main process. */
  function mint(id: string): MessagePort {
    const { port1, port2 } = new MessageChannel()
    adopt(port1, id)
    transfers.received(port2)
    return port2
  }

  class IpcRenderer extends EventEmitter {
    send(channel: string, ...args: unknown[]): void {
      say({ type: 'send', channel, args: cloned(args) })
    }

    invoke(channel: string, ...args: unknown[]): Promise<unknown> {
      const id = ++lastInvocation
      return new Promise((resolve, reject) => {
        say({ type: 'invoke', id, channel, args: cloned(args) })
        invocations.set(id, {
          resolve,
          reject: (error) =>
            reject(new Error(`Error invoking remote method '${channel}': ${String(error)}`)),
        })
      })
    }

    postMessage(channel: string, message: unknown, transfer: unknown[] = []): void {
      const moved = transfer.map((item) => {
        if (!(item instanceof MessagePort)) throw new TypeError('Invalid value for transfer')
        return item
      })
      const copy = cloned(message)
      // Neuters the preload's own reference, as a transfer does.
      const taken = moved.length > 0 ? structuredClone(moved, { transfer: moved }) : []
      say({ type: 'post', channel, message: copy, ports: taken.map((port) => adopt(port)) })
    }

    sendSync(): never {
      throw notPlayed('ipcRenderer.sendSync')
    }

    sendToHost(): never {
      throw notPlayed('ipcRenderer.sendToHost')
    }
  }

  const ipcRenderer = new IpcRenderer()

  function notPlayed(member: string): Error {
    return new Error(`The bench does not play Electron's ${member} in a preload`)
  }

  /** An object whose unknown members say that they are not played. */
  function played<T extends object>(name: string, members: T): T {
    return new Proxy(members, {
      get(target, key, receiver) {
        if (key in target || typeof key === 'symbol' || key === 'then' || key === '__esModule') {
          return Reflect.get(target, key, receiver)
        }
        throw notPlayed(`${name}.${key}`)
      },
    })
  }

  const contextBridge = played('contextBridge', {
    exposeInMainWorld: (key: string, api: unknown) => bridge.expose(key, api),
  })
  const setImmediate = (run: (...args: unknown[]) => void, ...args: unknown[]) =>
    setTimeout(run, 0, ...args)
  const clearImmediate = (id: number) => clearTimeout(id)
  const timers = {
    setTimeout: setTimeout.bind(window),
    clearTimeout: clearTimeout.bind(window),
    setInterval: setInterval.bind(window),
    clearInterval: clearInterval.bind(window),
    setImmediate,
    clearImmediate,
  }
  const isMainFrame = window === window.top
  const process = Object.assign(new EventEmitter(), parts.process, { isMainFrame })
  const modules = new Map<string, unknown>([
    ['electron', played('electron', { ipcRenderer, contextBridge })],
    ['events', EventEmitter],
    ['timers', timers],
    ['url', { URL, URLSearchParams }],
  ])
  modules.set('electron/renderer', modules.get('electron'))
  modules.set('electron/common', modules.get('electron'))

  function require(name: string): unknown {
    const found = modules.get(name.replace(/^node:/, ''))
    // Electron's own words: a sandboxed preload is one file.
    if (found === undefined) throw new Error(`module not found: ${name}`)
    return found
  }

  function hear(message: ToWorld): void {
    switch (message.type) {
      case 'send':
        ipcRenderer.emit(message.channel, { sender: ipcRenderer, ports: [] }, ...message.args)
        return
      case 'post': {
        const event = { sender: ipcRenderer, ports: message.ports.map(mint) }
        ipcRenderer.emit(message.channel, event, message.message)
        return
      }
      case 'answer':
      case 'failure': {
        const invocation = invocations.get(message.id)
        invocations.delete(message.id)
        if (message.type === 'answer') invocation?.resolve(message.result)
        else invocation?.reject(message.error)
        return
      }
      case 'port-message':
        ports.get(message.port)?.postMessage(message.data, message.ports.map(mint))
        return
      case 'port-close':
        ports.get(message.port)?.close()
        ports.delete(message.port)
        return
    }
  }

  Object.defineProperty(world, parts.down, {
    value: (said: string) => hear(text.parse(said) as ToWorld),
    configurable: true,
  })
  say({ type: 'document', url: location.href })
  if (!isMainFrame && !parts.inSubFrames) return
  for (const { path, run } of parts.preloads) {
    const module = { exports: {} }
    const folder = path.replace(/[/\\][^/\\]*$/, '')
    const scope = [module.exports, require, module, path, folder, process, globalThis]
    try {
      Reflect.apply(run, module.exports, [...scope, setImmediate, clearImmediate])
    } catch (error) {
      console.error(`Unable to load preload script: ${path}`)
      console.error(error)
      say({ type: 'preload-error', path, error: error instanceof Error ? error : String(error) })
    }
  }
  process.emit('loaded')
}
