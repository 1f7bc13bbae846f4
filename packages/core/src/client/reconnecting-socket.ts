import * as reconnectingWebSocket from 'reconnecting-websocket'
import { assertSocketSettings, prepareSocket, transportOf } from '#socket'
import { describeThrown } from '../errors/errors.js'
import type { Link, LinkEvents } from './link.js'
import { Pace } from './pace.js'
import type { Failure, RetryOptions } from './retry.js'
import type { OpeningSocket, SocketSettings } from './socket.js'
import { SocketAttempt } from './socket-attempt.js'
import { assertWebSocketUrl, type UrlSource, withoutSecrets } from './url.js'

export { assertSocketSettings }

export interface ReconnectingSocketOptions extends SocketSettings {
  readonly url: UrlSource
  readonly retry: RetryOptions
  /**
   * How long two steps may take, in ms each: to get the address and headers; and to open a socket and get the hello
   * answered.
   */
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
  readonly isShared = false
  readonly #options: ReconnectingSocketOptions
  readonly #events: LinkEvents
  readonly #pace: Pace
  readonly #reconnecting: { close(): void }
  readonly #stopping = new AbortController()
  /** Attempts whose sockets are not closed on the wire yet. */
  readonly #attempts = new Set<SocketAttempt>()
  #current: SocketAttempt | undefined
  /** Whether the server has accepted that connection. */
  #isAccepted = false
  /** Gives up asking for the address and the headers. */
  #asking = new AbortController()
  /** Opens the next socket. */
  #open: (() => OpeningSocket) | undefined

  constructor(options: ReconnectingSocketOptions, events: LinkEvents) {
    this.#options = options
    this.#events = events
    this.#pace = new Pace(options.retry, canRefresh(options), {
      waiting: events.waiting,
      stopped: (verdict, failure) => {
        this.#stopping.abort()
        this.#asking.abort()
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
    this.#isAccepted = false
    this.#pace.failed(failure)
    // A dead peer's socket can take a minute to close; nobody waits for it.
    attempt?.abandon()
  }

  accepted(spreadMs: number, windowMs: number): void {
    this.#isAccepted = true
    this.#pace.accepted(spreadMs, windowMs)
  }

  spread(spreadMs: number): void {
    this.#pace.spread(spreadMs)
  }

  hurry(): void {
    if (this.#isAccepted) return
    this.#pace.hurry()
    this.#asking.abort()
    const attempt = this.#current
    this.#current = undefined
    attempt?.leave()
  }

  async stop(): Promise<void> {
    this.#pace.stop()
    this.#stopping.abort()
    this.#asking.abort()
    this.#reconnecting.close()
    this.#current = undefined
    await Promise.all([...this.#attempts].map((attempt) => attempt.closed()))
  }

  /** Never rejects: see above. After a stop its value is not used. */
  async #nextUrl(): Promise<string> {
    while (await this.#pace.next()) {
      this.#events.connecting(this.#pace.attempt)
      this.#asking = new AbortController()
      const { signal } = this.#asking
      try {
        return await this.#prepare(signal)
      } catch (thrown) {
        if (signal.aborted) continue
        const cause = thrown instanceof ProviderError ? thrown.cause : thrown
        this.#pace.failed({ message: describeThrown(thrown), closeCode: 1006, cause })
      }
    }
    return ''
  }

  /** Finds out all that the next attempt needs. @returns its address. */
  async #prepare(signal: AbortSignal): Promise<string> {
    const { proxy, tls, maxMessage } = this.#options
    const [url, headers] = await Promise.all([
      this.#ask('url', this.#options.url, assertWebSocketUrl, signal),
      this.#ask('headers', this.#options.headers, assertTold, signal),
    ])
    this.#open = await prepareSocket(url, {
      headers,
      ...(proxy !== undefined && { proxy }),
      ...(tls !== undefined && { tls }),
      maxMessage,
    })
    return url
  }

  async #ask<T>(
    name: string,
    source: T | (() => T | Promise<T>),
    assert: (value: T) => T,
    signal: AbortSignal,
  ): Promise<T> {
    if (typeof source !== 'function') return source
    const { connectTimeoutMs } = this.#options
    try {
      const ask = source as () => T | Promise<T>
      return assert(await within(connectTimeoutMs, signal, ask))
    } catch (cause) {
      throw new ProviderError(`asking for the ${name} failed: ${describeThrown(cause)}`, { cause })
    }
  }

  #begin(url: string): SocketAttempt {
    const open = this.#open
    if (!open) throw new Error('A socket is opened that nobody prepared')
    this.#open = undefined
    const attempt: SocketAttempt = new SocketAttempt(open, {
      timeoutMs: this.#options.connectTimeoutMs,
      open: (socket, timeLeftMs) => this.#events.open(transportOf(socket), timeLeftMs),
      failed: (failure) => {
        if (this.#current === attempt) this.#current = undefined
        this.#pace.failed({ ...failure, where: withoutSecrets(url) })
      },
    })
    this.#current = attempt
    this.#attempts.add(attempt)
    void attempt.whenClosed.then(() => this.#attempts.delete(attempt))
    return attempt
  }
}

/** A function of the user's that was to say something failed to. `cause` is how. */
class ProviderError extends Error {}

function assertTold<T>(value: T): T {
  if (value === undefined) throw new Error('the function returned nothing')
  return value
}

/** Whether another attempt may bring other credentials. */
function canRefresh({ url, headers }: ReconnectingSocketOptions): boolean {
  return typeof url === 'function' || typeof headers === 'function'
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
