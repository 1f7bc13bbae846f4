import type { Frame } from '../../wire/codec.js'
import { BUILT_IN, type BuiltInEvents, type BuiltInTransport } from '../built-in.js'
import { CLOSED, CLOSED_BEFORE, isUnreadable, OPEN, truncateReason } from '../web-socket.js'
import { FrameCounter } from './ws-frame-counter.js'
import { type MovingWire, WireMovement } from './ws-movement.js'
import type { ReadFirst, WsReceiver } from './ws-reader.js'

/** The part of a socket of `ws` that is needed. */
export interface WsSocket {
  readonly readyState: number
  binaryType: string
  readonly bufferedAmount: number
  // biome-ignore lint/suspicious/noExplicitAny: each event's listener has params of its own
  on(event: 'message' | 'close' | 'error' | 'pong', listener: (...args: any[]) => void): unknown
  send(message: Frame): void
  close(code: number, reason: string): void
  terminate(): void
  ping(): void
  pong(): void
  pause(): void
  resume(): void
  /** Private to `ws`. Only the fast path uses it. */
  readonly _receiver?: Partial<WsReceiver> | null
}

/** The TCP or TLS socket that a socket of `ws` writes to. */
export interface Wire extends MovingWire {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  write(bytes: Uint8Array, left?: () => void): void
  cork(): void
  uncork(): void
  /** Whether the event 'drain' will come when everything has left. */
  readonly writableNeedDrain: boolean
  once(event: 'drain', listener: () => void): unknown
  /** Of a client's on the fast path: see `connectDirectly`. */
  readFirst?: ReadFirst
}

/**
 * How long, in ms, the other side may read nothing of the frames before a server's close frame, or leave the close
 * frame unanswered.
 */
const CLOSE_MS = 5_000
/** How long, in ms, all of that may take together. */
export const LONGEST_CLOSE_MS = 60_000

/** The key by which the listeners that all sockets share find the transport of a socket. */
const TRANSPORT: unique symbol = Symbol('transport')

type OwnedSocket = WsSocket & { [TRANSPORT]?: WsTransport }

/**
 * A transport over a socket of `ws` that is open already, a server's or a client's: what `webSocketTransport` is to all
 * sockets, without functions and events of its own for each. `ws` reads and writes all frames; here they are only
 * counted.
 */
export class WsTransport implements BuiltInTransport {
  readonly reliable = false
  protected readonly socket: OwnedSocket
  protected readonly wire: Wire
  readonly isServed: boolean
  /** Made at the first use. */
  #movement: WireMovement | undefined
  #events: BuiltInEvents | undefined
  #isDrainWatched = false
  #closeTimer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  /**
   * @param socket one without extensions: what is written to its wire is in order with what it writes itself.
   * @param isServed whether it is a server's.
   */
  constructor(socket: WsSocket, wire: Wire, isServed: boolean) {
    this.socket = socket
    this.wire = wire
    this.isServed = isServed
    socket.binaryType = 'arraybuffer'
  }

  get [BUILT_IN](): this {
    return this
  }

  get isOpen(): boolean {
    return this.socket.readyState === OPEN
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount
  }

  get unsentBytes(): number {
    const unwritten = this.wire._handle?.writeQueueSize
    return this.socket.bufferedAmount + (typeof unwritten === 'number' ? unwritten : 0)
  }

  watchDrain(): boolean {
    if (this.#isDrainWatched) return true
    if (!this.wire.writableNeedDrain) return false
    this.#isDrainWatched = true
    this.wire.once('drain', () => {
      this.#isDrainWatched = false
      this.#events?.drained?.()
    })
    return true
  }

  /** Begins to deliver frames. If it is called again, the events go to the next receiver from then on. */
  start(events: BuiltInEvents): void {
    const { socket } = this
    const isFirst = this.#events === undefined
    this.#events = events
    if (!isFirst) return this.readFor(events)
    socket[TRANSPORT] = this
    this.beginToRead(events)
    socket.on('message', onMessage)
    socket.on('close', onClose)
    // It is always followed by 'close'. Without a listener, it would end the process.
    socket.on('error', onError)
    socket.on('pong', onPong)
    // A client's socket reads nothing until here.
    if (!this.isServed) socket.resume()
    if (socket.readyState === CLOSED) {
      queueMicrotask(() => events.close(CLOSED_BEFORE))
    }
  }

  /** Counts the frames that `ws` reads. */
  protected beginToRead(_: BuiltInEvents): void {
    const counter = new FrameCounter()
    // The listener of `ws` comes first, so `ws` has read the same bytes by then.
    this.wire.on('data', (chunk) => {
      const { frames, bytes } = counter.count(chunk)
      if (frames > 0) this.#events?.otherFrames?.(frames, bytes)
      if (counter.isAmidMessage) this.#events?.arriving?.()
    })
  }

  /** From now on, the events go to another receiver. */
  protected readFor(_: BuiltInEvents): void {}

  /** Gives a frame to the receiver, as if it came now. */
  read(frame: Frame): void {
    this.#events?.frame(frame)
  }

  send(frame: Frame): boolean {
    if (!this.isOpen) return false
    // `ws` may keep bytes until they have left.
    this.socket.send(typeof frame === 'string' ? frame : new Uint8Array(frame))
    return true
  }

  cork(isHeld: boolean): void {
    if (isHeld) this.wire.cork()
    else this.wire.uncork()
  }

  close(code = 1000, reason = ''): void {
    this.socket.close(code, truncateReason(reason))
    if (this.isServed && !this.#isClosed) this.#closeTimer ??= this.#awaitClose(LONGEST_CLOSE_MS)
  }

  /**
   * Waits for the closing handshake. The close frame comes after everything that waits here. A peer that reads gets the
   * reason of the end. A peer that does not read can't hold the memory for long.
   */
  #awaitClose(leftMs: number): ReturnType<typeof setTimeout> {
    this.#movement ??= new WireMovement(this.wire)
    this.#movement.hasLeft()
    return setTimeout(() => {
      if (leftMs > CLOSE_MS && this.#movement?.hasLeft()) {
        this.#closeTimer = this.#awaitClose(leftMs - CLOSE_MS)
      } else this.socket.terminate()
    }, CLOSE_MS)
  }

  terminate(): void {
    this.socket.terminate()
  }

  pause(isPaused: boolean): void {
    if (isPaused) this.socket.pause()
    else this.socket.resume()
  }

  ping(): void {
    this.socket.ping()
  }

  pong(): void {
    if (this.isOpen) this.socket.pong()
  }

  hasMoved(): boolean {
    this.#movement ??= new WireMovement(this.wire)
    return this.#movement.look()
  }

  // ── Events of the socket ──────────────────────────────────────────────────────────────────────

  received(data: Buffer | ArrayBuffer, isBinary: boolean): void {
    // Not `String(data)`, which first searches the prototypes for other conversions.
    this.#events?.frame(isBinary ? new Uint8Array(data as ArrayBuffer) : data.toString())
  }

  closed(code: number, reason: string): void {
    this.#isClosed = true
    clearTimeout(this.#closeTimer)
    this.#events?.close({ code, reason })
  }

  failed(error: Error): void {
    if (isUnreadable(error)) this.#events?.unreadable?.(error)
  }

  ponged(): void {
    this.#events?.pong?.()
  }
}

function onMessage(this: OwnedSocket, data: Buffer | ArrayBuffer, isBinary: boolean): void {
  this[TRANSPORT]?.received(data, isBinary)
}

function onClose(this: OwnedSocket, code: number, reason: Uint8Array): void {
  this[TRANSPORT]?.closed(code, String(reason))
}

function onPong(this: OwnedSocket): void {
  this[TRANSPORT]?.ponged()
}

function onError(this: OwnedSocket, error: Error): void {
  this[TRANSPORT]?.failed(error)
}
