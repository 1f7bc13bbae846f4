import type { MessagePortLike } from '../transport/ports.js'
import type { CloseInfo, Transport, TransportEvents } from '../transport/transport.js'
import type { Frame } from '../wire/codec.js'
import { type CloseMessage, isControlMessage, type OpenMessage } from './tab-messages.js'

/** The events of a tab's port. */
export interface TabPortEvents<In> {
  /** The other end has sent a control message. */
  message(message: In): void
  /** The other end is gone. */
  gone(): void
}

/**
 * One port between a tab and a worker. It carries, in one order, control messages and the frames of one connection
 * after another. A connection is over for an end as soon as it has sent or received its close message. Frames of that
 * connection that are still under way are dropped, by its number.
 */
export class TabPort<In, Out> {
  readonly #port: MessagePortLike
  readonly #events: TabPortEvents<In | OpenMessage>
  /** Whether a lock shows when the other end has ended. */
  isWatched = false
  #connection: PortConnection | undefined
  /** The number of the connection whose frames the other end sends. */
  #incoming = 0
  #isClosed = false

  constructor(port: MessagePortLike, events: TabPortEvents<In | OpenMessage>) {
    this.#port = port
    this.#events = events
    port.addEventListener('message', ({ data }: { data: unknown }) => this.#receive(data))
    port.addEventListener('messageerror', () => this.#connection?.close(1003, UNREADABLE))
    // Some browsers report that the other end was closed, or that its page is gone.
    port.addEventListener('close', () => this.#lost())
    port.start?.()
  }

  send(message: Out): void {
    this.#post(message)
  }

  /** Begins a connection on this end. The other end begins it, too, or has begun it. */
  connect(n: number, session?: string | null): Transport {
    this.#connection = new PortConnection(n, this.isWatched, (message) => this.#post(message))
    this.#post({ flashrpc: 'open', n, ...(session !== undefined && { session }) })
    return this.#connection
  }

  /**
   * Ends the connection for the other end, with this code and reason. On this end it counts as lost, and its session
   * goes on.
   */
  drop({ code, reason }: CloseInfo): void {
    const connection = this.#connection
    if (!connection) return
    this.#connection = undefined
    this.#post({ flashrpc: 'close', n: connection.n, code, reason })
    connection.end({ code: 1006, reason })
  }

  /** Closes the port: it sends and receives nothing more. A connection ends without a close message. */
  close(info: CloseInfo): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#port.close()
    this.#connection?.end(info)
  }

  #post(message: Out | OpenMessage | CloseMessage | Frame): void {
    if (!this.#isClosed) this.#port.postMessage(message)
  }

  #receive(data: unknown): void {
    if (this.#isClosed) return
    if (!isControlMessage(data)) return this.#frame(data)
    const message = data as OpenMessage | CloseMessage
    if (message.flashrpc === 'close') {
      if (this.#connection?.n === message.n) this.#connection.end(message)
      return
    }
    if (message.flashrpc === 'open') this.#incoming = message.n
    this.#events.message(message)
  }

  #frame(data: unknown): void {
    const connection = this.#connection
    if (connection?.n !== this.#incoming) return
    if (typeof data === 'string' || data instanceof Uint8Array) connection.frame(data)
    else connection.close(1003, UNREADABLE)
  }

  #lost(): void {
    if (!this.#isClosed) this.#events.gone()
  }
}

const UNREADABLE = 'A port delivered a value that is neither text nor bytes'

class PortConnection implements Transport {
  readonly n: number
  /** If no lock shows that the other end has ended, it is asked for signs of life. */
  readonly reliable: boolean
  /** The connection to the server behind it is replaced from time to time. */
  readonly isReplaceable = true
  readonly #post: (message: Frame | CloseMessage) => void
  #events: TransportEvents | undefined
  #early: Frame[] = []
  #ended = false

  constructor(n: number, isWatched: boolean, post: (message: Frame | CloseMessage) => void) {
    this.n = n
    this.reliable = isWatched
    this.#post = post
  }

  start(events: TransportEvents): void {
    this.#events = events
    for (const frame of this.#early.splice(0)) events.frame(frame)
  }

  send(frame: Frame): boolean {
    if (this.#ended) return false
    this.#post(frame)
    return true
  }

  close(code = 1000, reason = ''): void {
    if (this.#ended) return
    this.#post({ flashrpc: 'close', n: this.n, code, reason })
    this.end({ code, reason })
  }

  frame(frame: Frame): void {
    if (this.#ended) return
    if (this.#events) this.#events.frame(frame)
    else this.#early.push(frame)
  }

  end({ code, reason }: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    // As with a socket, the end is reported after the call that caused it has returned.
    queueMicrotask(() => this.#events?.close({ code, reason }))
  }
}
