import type { WebSocket } from 'ws'
import type { Transport, TransportEvents } from '../transport/transport.js'
import { truncateReason } from '../transport/web-socket.js'
import type { Frame } from '../wire/codec.js'
import { lentCopy } from '../wire/lent-memory.js'

/** How a socket's listeners, which all sockets share, find its transport. */
const TRANSPORT: unique symbol = Symbol('transport')

type OwnedSocket = WebSocket & { [TRANSPORT]?: ServerSocket }

/**
 * A transport over a socket that a server of `ws` has accepted: what `webSocketTransport` is to all sockets, without
 * a function of its own for each.
 */
export class ServerSocket implements Transport {
  readonly reliable = false
  readonly #socket: OwnedSocket
  #events: TransportEvents | undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
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
    if (socket.readyState === socket.CLOSED) {
      // Its 'close' came before anyone listened.
      queueMicrotask(() => events.close({ code: 1006, reason: 'The socket was closed already' }))
    }
  }

  send(frame: Frame): boolean {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return false
    if (typeof frame === 'string') socket.send(frame)
    else {
      // Unlike a client's, which masks a copy, it keeps what it can't write at once.
      const { bytes, giveBack } = lentCopy(frame)
      socket.send(bytes, giveBack)
    }
    return true
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

function onClose(this: OwnedSocket, code: number, reason: Buffer): void {
  this[TRANSPORT]?.closed(code, reason.toString())
}

function onPong(this: OwnedSocket): void {
  this[TRANSPORT]?.ponged()
}

function onError(): void {}
