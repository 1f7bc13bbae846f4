import type { MessagePortLike } from '../transport/ports.js'
import type { CloseInfo, Transport, TransportEvents } from '../transport/transport.js'
import type { Frame } from '../wire/codec.js'
import { type CloseWord, isWord, type OpenWord } from './words.js'

/** What a lane tells. */
export interface LaneEvents<In> {
  /** The other end has said something. */
  word(word: In): void
  /** The other end is gone. */
  gone(): void
}

/**
 * One port between a tab and a worker, with all that they say on it in one order: words, and the frames of
 * one connection after another. A connection is over for an end as soon as that says so or hears it; frames
 * of it that are still under way then are dropped, as its number tells.
 */
export class Lane<In, Out> {
  readonly #port: MessagePortLike
  readonly #events: LaneEvents<In | OpenWord>
  /** Whether a lock tells when the other end dies. */
  isWatched = false
  #connection: LaneConnection | undefined
  /** Whose frames the other end sends. */
  #heard = 0
  #isClosed = false

  constructor(port: MessagePortLike, events: LaneEvents<In | OpenWord>) {
    this.#port = port
    this.#events = events
    port.addEventListener('message', ({ data }: { data: unknown }) => this.#hear(data))
    port.addEventListener('messageerror', () => this.#connection?.close(1003, UNREADABLE))
    // Where browsers say so: the other end was closed, or its page is gone.
    port.addEventListener('close', () => this.#lost())
    port.start?.()
  }

  say(word: Out): void {
    this.#post(word)
  }

  /** Begins a connection, on this end; the other end begins it, too, or has begun it. */
  connect(n: number, session?: string | null): Transport {
    this.#connection = new LaneConnection(n, this.isWatched, (message) => this.#post(message))
    this.#post({ flashrpc: 'open', n, ...(session !== undefined && { session }) })
    return this.#connection
  }

  /** Ends the connection for the other end, as it is told; on this one it is only lost, and its session goes on. */
  drop({ code, reason }: CloseInfo): void {
    const connection = this.#connection
    if (!connection) return
    this.#connection = undefined
    this.#post({ flashrpc: 'close', n: connection.n, code, reason })
    connection.end({ code: 1006, reason })
  }

  /** Says and hears nothing more. A connection ends, without a word of it. */
  close(info: CloseInfo): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#port.close()
    this.#connection?.end(info)
  }

  #post(message: Out | OpenWord | CloseWord | Frame): void {
    if (!this.#isClosed) this.#port.postMessage(message)
  }

  #hear(data: unknown): void {
    if (this.#isClosed) return
    if (!isWord(data)) return this.#frame(data)
    const word = data as OpenWord | CloseWord
    if (word.flashrpc === 'close') {
      if (this.#connection?.n === word.n) this.#connection.end(word)
      return
    }
    if (word.flashrpc === 'open') this.#heard = word.n
    this.#events.word(word)
  }

  #frame(data: unknown): void {
    const connection = this.#connection
    if (connection?.n !== this.#heard) return
    if (typeof data === 'string' || data instanceof Uint8Array) connection.frame(data)
    else connection.close(1003, UNREADABLE)
  }

  #lost(): void {
    if (!this.#isClosed) this.#events.gone()
  }
}

const UNREADABLE = 'A port delivered what is neither text nor bytes'

class LaneConnection implements Transport {
  readonly n: number
  /** Where no lock tells of an end that dies, it is asked for signs of life. */
  readonly reliable: boolean
  /** The server's connection behind it comes and goes. */
  readonly isReplaceable = true
  readonly #post: (message: Frame | CloseWord) => void
  #events: TransportEvents | undefined
  #early: Frame[] = []
  #ended = false

  constructor(n: number, isWatched: boolean, post: (message: Frame | CloseWord) => void) {
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
    // As with a socket, the end is told after the call that brought it about has returned.
    queueMicrotask(() => this.#events?.close({ code, reason }))
  }
}
