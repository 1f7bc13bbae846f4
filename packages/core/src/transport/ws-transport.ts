import type { Frame } from '../wire/codec.js'
import type { Transport, TransportEvents } from './transport.js'
import { CLOSED, CLOSED_BEFORE, OPEN, truncateReason } from './web-socket.js'

/** As much of a socket of `ws` as is needed. */
export interface WsSocket {
  readonly readyState: number
  binaryType: string
  readonly bufferedAmount: number
  // biome-ignore lint/suspicious/noExplicitAny: each event's listener has params of its own
  on(event: 'message' | 'close' | 'error' | 'pong', listener: (...args: any[]) => void): unknown
  send(data: string | Uint8Array, options: { binary: boolean }): void
  close(code: number, reason: string): void
  terminate(): void
  ping(): void
  pause(): void
  resume(): void
}

/** What a socket of `ws` writes to: its TCP or TLS socket. */
export interface Corkable {
  cork(): void
  uncork(): void
}

/** Text of more characters is copied once less often. */
const SMALL = 16_384
const TEXT = { binary: false }
const BYTES = { binary: true }

/** How a socket's listeners, which all sockets share, find its transport. */
const TRANSPORT: unique symbol = Symbol('transport')

type OwnedSocket = WsSocket & { [TRANSPORT]?: WsTransport }

/**
 * A transport over a socket of `ws` that is open already, a client's, or with `ServedSocket` a server's: what
 * `webSocketTransport` is to all sockets, without functions and events of its own for each.
 */
export class WsTransport implements Transport {
  readonly reliable = false
  readonly keepsEventsWhole = true
  readonly #socket: OwnedSocket
  readonly #wire: Corkable | undefined
  #events: TransportEvents | undefined

  constructor(socket: WsSocket, wire: Corkable | undefined) {
    this.#socket = socket
    this.#wire = wire
    socket.binaryType = 'arraybuffer'
  }

  get isOpen(): boolean {
    return this.#socket.readyState === OPEN
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  start(events: TransportEvents): void {
    const socket = this.#socket
    this.#events = events
    socket[TRANSPORT] = this
    socket.on('message', onMessage)
    socket.on('close', onClose)
    // Always followed by 'close', which says more; unheard it would end the process.
    socket.on('error', onError)
    socket.on('pong', onPong)
    if (socket.readyState === CLOSED) {
      queueMicrotask(() => events.close(CLOSED_BEFORE))
    }
  }

  send(frame: Frame): boolean {
    if (!this.isOpen) return false
    if (typeof frame !== 'string') this.#socket.send(frame, BYTES)
    // Bytes are masked into one piece with their header, which is written once; text is written after its header.
    else this.#socket.send(frame.length > SMALL ? frame : Buffer.from(frame), TEXT)
    return true
  }

  cork(isHeld: boolean): void {
    if (isHeld) this.#wire?.cork()
    else this.#wire?.uncork()
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, truncateReason(reason))
  }

  terminate(): void {
    this.#socket.terminate()
  }

  pause(isPaused: boolean): void {
    if (isPaused) this.#socket.pause()
    else this.#socket.resume()
  }

  ping(): void {
    this.#socket.ping()
  }

  // ── What the socket tells ─────────────────────────────────────────────────────────────────────

  received(data: unknown, isBinary: boolean): void {
    this.#events?.frame(isBinary ? new Uint8Array(data as ArrayBuffer) : String(data))
  }

  closed(code: number, reason: string): void {
    this.#events?.close({ code, reason })
  }

  ponged(): void {
    this.#events?.pong?.()
  }
}

function onMessage(this: OwnedSocket, data: unknown, isBinary: boolean): void {
  this[TRANSPORT]?.received(data, isBinary)
}

function onClose(this: OwnedSocket, code: number, reason: Uint8Array): void {
  this[TRANSPORT]?.closed(code, String(reason))
}

function onPong(this: OwnedSocket): void {
  this[TRANSPORT]?.ponged()
}

function onError(): void {}
