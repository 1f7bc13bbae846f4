import { RpcConfigError } from '@flashrpc/core'
import type { MessagePortMain, UtilityProcess } from 'electron'
import { type Gone, handOverTo, isHandOverName } from '../hand-over.js'
import type { ElectronPage } from './page.js'

/** A way past main, from a window's pages to a utility process. */
export interface Pipe {
  readonly webContentsId: number
  readonly name: string
  readonly child: UtilityProcess
  /** Whether the process has ended. */
  hasEnded: boolean
}

/**
 * A page's port that was handed on to a process. Main no longer sees it, so main tells the process when the page goes.
 */
interface Piped {
  readonly child: UtilityProcess
  readonly webContentsId: number
  /** The number by which the process knows the port. */
  readonly id: number
  /** Whether the window has begun to load another page since then. */
  isOutgoing: boolean
}

let lastId = 0

/** The pipes of one host. */
export class Pipes {
  readonly #pipes = new Set<Pipe>()
  /** The newest port of each frame and name. */
  readonly #piped = new Map<string, Piped>()

  /**
   * @returns a function that removes the pipe.
   * @throws {RpcConfigError} if the name is not valid, or the window has a pipe of that name to a process that runs.
   */
  add(webContentsId: number, child: UtilityProcess, name: string): () => void {
    if (!isHandOverName(name)) {
      throw new RpcConfigError(
        `A pipe's name has 1 to 64 characters. It is ${JSON.stringify(name)}`,
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

  /**
   * Hands a page's port on, together with the page's identity.
   *
   * @throws {Error} if the identity can't be cloned.
   */
  handOn(
    { child, name }: Pipe,
    port: MessagePortMain,
    page: ElectronPage,
    identity: unknown,
  ): void {
    const id = ++lastId
    child.postMessage({ ...handOverTo(name), id, identity }, [port])
    const { webContentsId, frame } = page
    const key = `${webContentsId}:${frame.frameTreeNodeId}:${name}`
    const before = this.#piped.get(key)
    if (before) end(before, 4409, 'Another connection of this page has taken its place')
    this.#piped.set(key, { child, webContentsId, id, isOutgoing: false })
  }

  /** A window has begun to load another page. */
  navigating(webContentsId: number): void {
    for (const piped of this.#piped.values()) {
      if (piped.webContentsId === webContentsId) piped.isOutgoing = true
    }
  }

  /** A window shows another page now: the connections of the page before end. */
  navigated(webContentsId: number): void {
    this.#end(webContentsId, 1001, 'The page has gone', (piped) => piped.isOutgoing)
  }

  /** A window's page is gone, and perhaps the window. */
  gone(webContentsId: number, code: number, reason: string): void {
    this.#end(webContentsId, code, reason, () => true)
  }

  #end(
    webContentsId: number,
    code: number,
    reason: string,
    isMeant: (piped: Piped) => boolean,
  ): void {
    for (const [key, piped] of this.#piped) {
      if (piped.webContentsId !== webContentsId || !isMeant(piped)) continue
      this.#piped.delete(key)
      end(piped, code, reason)
    }
  }

  /** Takes away those of a window that is gone. */
  forget(webContentsId: number): void {
    for (const pipe of this.#pipes) {
      if (pipe.webContentsId === webContentsId) this.#pipes.delete(pipe)
    }
  }
}

/** Tells a process to end the connection over a port, if it has not ended already. */
function end({ child, id }: Piped, code: number, reason: string): void {
  child.postMessage({ flashrpc: 'gone', id, code, reason } satisfies Gone)
}
