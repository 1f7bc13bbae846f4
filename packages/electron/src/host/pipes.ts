import { RpcConfigError } from '@flashrpc/core'
import type { MessagePortMain, UtilityProcess } from 'electron'
import { handOverTo, isHandOverName } from '../hand-over.js'

/** A way past main, from a window's pages to a utility process. */
export interface Pipe {
  readonly webContentsId: number
  readonly name: string
  readonly child: UtilityProcess
  /** Whether the process has ended. */
  hasEnded: boolean
}

/** The pipes of one host. */
export class Pipes {
  readonly #pipes = new Set<Pipe>()

  /**
   * @returns takes it away again.
   * @throws {RpcConfigError} where the name is none, or the window has a pipe of that name to a
   *   process that runs.
   */
  add(webContentsId: number, child: UtilityProcess, name: string): () => void {
    if (!isHandOverName(name)) {
      throw new RpcConfigError(
        `A pipe's name has 1 to 64 characters; it is ${JSON.stringify(name)}`,
      )
    }
    const before = this.find(webContentsId, name)
    if (before && !before.hasEnded) {
      throw new RpcConfigError(
        `This window has a pipe "${name}" already: take it away first, with what pipe() returned`,
      )
    }
    if (before) this.#pipes.delete(before)
    const pipe: Pipe = { webContentsId, name, child, hasEnded: false }
    const onExit = () => {
      pipe.hasEnded = true
    }
    child.once('exit', onExit)
    this.#pipes.add(pipe)
    return () => {
      child.off('exit', onExit)
      this.#pipes.delete(pipe)
    }
  }

  find(webContentsId: number, name: string): Pipe | undefined {
    return [...this.#pipes].find(
      (pipe) => pipe.webContentsId === webContentsId && pipe.name === name,
    )
  }

  /** Takes away those of a window that is gone. */
  forget(webContentsId: number): void {
    for (const pipe of this.#pipes) {
      if (pipe.webContentsId === webContentsId) this.#pipes.delete(pipe)
    }
  }
}

/** Hands a page's port on. What the page is known as goes with it, and must be cloneable. */
export function handOn({ child, name }: Pipe, port: MessagePortMain, identity: unknown): void {
  child.postMessage({ ...handOverTo(name), identity }, [port])
}
