import { CLOSED, type WebSocketLike } from '../transport/web-socket.js'
import type { AdoptedSocket } from './adopted-socket.js'

/** One of the connections of a reconnecting WebSocket, as a WebSocket that is open and is never opened again. */
export class OpenSocket implements WebSocketLike {
  binaryType = 'arraybuffer'
  readonly #adopted: AdoptedSocket
  readonly #listeners = new Map<string, (event: never) => void>()
  readonly #close: (code: number, reason: string) => void
  #isClosing = false
  #isOver = false

  /** @param close called once, when this side closes it. */
  constructor(adopted: AdoptedSocket, close: (code: number, reason: string) => void) {
    this.#adopted = adopted
    this.#close = close
  }

  get readyState(): number {
    return this.#isOver ? CLOSED : this.#adopted.readyState
  }

  get bufferedAmount(): number {
    return this.#adopted.bufferedAmount
  }

  send(data: string | Uint8Array): void {
    // The class of its sockets is the application's, and may hold bytes for a while.
    this.#adopted.send(typeof data === 'string' ? data : data.slice())
  }

  close(code = 1000, reason = ''): void {
    if (this.#isOver || this.#isClosing) return
    this.#isClosing = true
    this.#close(code, reason)
    queueMicrotask(() => this.ended(code, reason))
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener)
  }

  /** A message came. */
  received(data: unknown): void {
    if (!this.#isOver) this.#tell('message', { data })
  }

  /** It has ended. No event follows. */
  ended(code: number, reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#tell('close', { code, reason })
  }

  /** It has ended, without an event. */
  dropped(): void {
    this.#isOver = true
  }

  #tell(type: string, event: object): void {
    this.#listeners.get(type)?.(event as never)
  }
}
