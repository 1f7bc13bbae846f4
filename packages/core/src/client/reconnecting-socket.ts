import * as reconnectingWebSocket from 'reconnecting-websocket'
import { openSocket } from '#socket'
import { describeThrown } from '../errors.js'
import { webSocketTransport } from '../transport/web-socket.js'
import type { Link, LinkEvents } from './link.js'
import { Pace } from './pace.js'
import type { Failure, RetryOptions } from './retry.js'
import { SocketAttempt } from './socket-attempt.js'
import { assertWebSocketUrl, type UrlSource } from './url.js'

export interface ReconnectingSocketOptions {
  readonly url: UrlSource
  readonly retry: RetryOptions
  /** How long opening a socket, and asking for the address, may take, in ms. */
  readonly connectTimeoutMs: number
  readonly maxMessage: number
}

/**
 * A link of WebSockets, reopened by `reconnecting-websocket`.
 *
 * That library (4.4.0) is made safe here. It retries any failure alike, without jitter, so its own
 * delays are 0 and ours are spent in its URL provider; a provider that rejects locks it for ever,
 * so ours never does; its connect timeout throws in Node, so ours takes its place; it replaces
 * close codes after an error, so it is told of no errors; and it can lock after a stop, so an
 * instance is never used again after one.
 */
export class ReconnectingSocket implements Link {
  readonly #options: ReconnectingSocketOptions
  readonly #events: LinkEvents
  readonly #pace: Pace
  readonly #reconnecting: { close(): void }
  readonly #stopping = new AbortController()
  /** Attempts whose sockets are not closed on the wire yet. */
  readonly #attempts = new Set<SocketAttempt>()
  #current: SocketAttempt | undefined

  constructor(options: ReconnectingSocketOptions, events: LinkEvents) {
    this.#options = options
    this.#events = events
    this.#pace = new Pace(options.retry, typeof options.url === 'function', {
      waiting: events.waiting,
      stopped: (verdict, failure) => {
        this.#stopping.abort()
        this.#reconnecting.close()
        events.stopped(verdict, failure)
      },
    })
    const begin = (url: string) => this.#begin(url)
    const never = 2 ** 31 - 1
    this.#reconnecting = new ReconnectingWebSocket(() => this.#nextUrl(), undefined, {
      WebSocket: Object.assign(
        // `new` returns the object that a constructor returns.
        function openAttempt(url: string): SocketAttempt {
          return begin(url)
        },
        { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 },
      ),
      connectionTimeout: never,
      minReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      maxEnqueuedMessages: 0,
    })
  }

  lost(failure: Failure): void {
    const attempt = this.#current
    this.#current = undefined
    this.#pace.failed(failure)
    // A dead peer's socket can take a minute to close; nobody waits for it.
    attempt?.abandon()
  }

  accepted(spreadMs: number): void {
    this.#pace.accepted(spreadMs)
  }

  hurry(): void {
    this.#pace.hurry()
  }

  async stop(): Promise<void> {
    this.#pace.stop()
    this.#stopping.abort()
    this.#reconnecting.close()
    this.#current = undefined
    await Promise.all([...this.#attempts].map((attempt) => attempt.closed()))
  }

  /** Never rejects: see above. After a stop its value is not used. */
  async #nextUrl(): Promise<string> {
    const { url, connectTimeoutMs } = this.#options
    while (await this.#pace.next()) {
      this.#events.connecting(this.#pace.attempt)
      try {
        return assertWebSocketUrl(
          typeof url === 'string'
            ? url
            : await within(connectTimeoutMs, this.#stopping.signal, url),
        )
      } catch (thrown) {
        const message = `asking for the url failed: ${describeThrown(thrown)}`
        this.#pace.failed({ message, closeCode: 1006, cause: thrown })
      }
    }
    return ''
  }

  #begin(url: string): SocketAttempt {
    const { connectTimeoutMs, maxMessage } = this.#options
    const attempt: SocketAttempt = new SocketAttempt(() => openSocket(url, { maxMessage }), {
      timeoutMs: connectTimeoutMs,
      open: (socket) => {
        this.#pace.opened()
        this.#events.open(webSocketTransport(socket))
      },
      failed: (failure) => {
        if (this.#current === attempt) this.#current = undefined
        this.#pace.failed({ ...failure, message: `${url}: ${failure.message}` })
      },
    })
    this.#current = attempt
    this.#attempts.add(attempt)
    void attempt.whenClosed.then(() => this.#attempts.delete(attempt))
    return attempt
  }
}

/** @throws {Error} where the value does not come in time, or is no longer wanted; a later one is dropped. */
async function within<T>(
  timeoutMs: number,
  stopping: AbortSignal,
  ask: () => T | Promise<T>,
): Promise<T> {
  let giveUp: (error: Error) => void = () => {}
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const timer = setTimeout(() => giveUp(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  const onStop = () => giveUp(new Error('the client has stopped'))
  stopping.addEventListener('abort', onStop)
  try {
    return await Promise.race([ask(), givenUp])
  } finally {
    clearTimeout(timer)
    stopping.removeEventListener('abort', onStop)
  }
}

/** As much of the library's class as is used here. */
type ReconnectingWebSocketClass = new (
  url: () => Promise<string>,
  protocols: undefined,
  options: {
    WebSocket: unknown
    connectionTimeout: number
    minReconnectionDelay: number
    maxReconnectionDelay: number
    maxEnqueuedMessages: number
  },
) => { close(): void }

/**
 * The class, wherever the module system put it: the package is CommonJS to Node and has a second
 * build in `module` for bundlers, and TypeScript's view of it depends on the same.
 */
const ReconnectingWebSocket = ((reconnectingWebSocket as { default?: unknown }).default ??
  reconnectingWebSocket) as ReconnectingWebSocketClass
