import type { DevtoolsSession } from '../browser/devtools-connection.js'
import { DocumentLink } from './document-link.js'
import { IpcMain } from './ipc-main.js'
import { cloned, type MessagePortMain } from './message-port-main.js'
import { throwOnUnplayed } from './unplayed.js'

/** The place of a frame in its window, which outlives its documents. */
export interface FramePlace {
  readonly frameTreeNodeId: number
  readonly processId: number
  readonly parent: () => WebFrameMain | null
  readonly children: () => WebFrameMain[]
  /** Runs code in the page's own world. */
  readonly evaluate: (code: string, userGesture: boolean) => Promise<unknown>
}

let lastRoutingId = 0

/** Electron's WebFrameMain: one document. Once that is gone, reading most of it throws. */
export class WebFrameMain {
  /** For the bench: the way into the document. */
  readonly #link = new DocumentLink()
  readonly #place: FramePlace
  readonly #ipc = new IpcMain()
  readonly #routingId = ++lastRoutingId
  #url: string
  #origin: string
  #detached = false

  constructor(place: FramePlace, url: string, origin: string) {
    this.#place = place
    this.#url = url
    this.#origin = origin
  }

  static linkOf(frame: WebFrameMain): DocumentLink {
    return frame.#link
  }

  /** The document has another address: it navigated within itself, or is known better now. */
  static move(frame: WebFrameMain, url: string, origin = frame.#origin): void {
    frame.#url = url
    frame.#origin = origin
  }

  /** The document is gone. */
  static dispose(frame: WebFrameMain): void {
    frame.#detached = true
    frame.#link.close()
  }

  get url(): string {
    return this.#read(this.#url)
  }

  get origin(): string {
    return this.#read(this.#origin)
  }

  get parent(): WebFrameMain | null {
    return this.#read(this.#place.parent())
  }

  get top(): WebFrameMain | null {
    const { parent } = this
    return parent === null ? this : parent.top
  }

  get frames(): WebFrameMain[] {
    return this.#read(this.#place.children())
  }

  get framesInSubtree(): WebFrameMain[] {
    return [this, ...this.frames.flatMap((frame) => frame.framesInSubtree)]
  }

  get name(): string {
    return this.#read('')
  }

  get processId(): number {
    return this.#read(this.#place.processId)
  }

  get osProcessId(): number {
    return this.#read(this.#place.processId)
  }

  get routingId(): number {
    return this.#read(this.#routingId)
  }

  get frameToken(): string {
    return this.#read(`bench-${this.#routingId}`)
  }

  get frameTreeNodeId(): number {
    return this.#place.frameTreeNodeId
  }

  get visibilityState(): string {
    return this.#read('visible')
  }

  get detached(): boolean {
    return this.#detached
  }

  get ipc(): IpcMain {
    return this.#ipc
  }

  isDestroyed(): boolean {
    return this.#detached
  }

  send(channel: string, ...args: unknown[]): void {
    this.#check()
    this.#link.send({ type: 'send', channel, args: cloned(args) })
  }

  postMessage(channel: string, message: unknown, transfer: MessagePortMain[] = []): void {
    this.#check()
    const copy = cloned(message)
    const ports = this.#link.ports.give(transfer)
    this.#link.send({ type: 'post', channel, message: copy, ports })
  }

  async executeJavaScript(code: string, userGesture = false): Promise<unknown> {
    this.#check()
    return this.#place.evaluate(code, userGesture)
  }

  reload(): boolean {
    this.#check()
    void this.#place.evaluate('location.reload()', false)
    return true
  }

  #read<T>(value: T): T {
    this.#check()
    return value
  }

  #check(): void {
    if (this.#detached) {
      throw new Error('Render frame was disposed before WebFrameMain could be accessed')
    }
  }
}

throwOnUnplayed(WebFrameMain, 'WebFrameMain')

/** A document's own evaluation, of which a frame's place makes its `evaluate`. */
export async function evaluateIn(
  session: DevtoolsSession,
  uniqueContextId: string,
  code: string,
  userGesture: boolean,
): Promise<unknown> {
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: code,
    uniqueContextId,
    userGesture,
    awaitPromise: true,
    returnByValue: true,
  })
  if (exceptionDetails) {
    const { exception, text } = exceptionDetails
    throw new Error(String(exception?.description ?? exception?.value ?? text))
  }
  return result.value
}
