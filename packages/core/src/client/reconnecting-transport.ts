import { describeThrown, RpcDisconnectedError } from '../errors/errors.js'
import type { Transport } from '../transport/transport.js'
import type { Link, LinkEvents } from './link.js'
import { Pace } from './pace.js'
import type { Failure, RetryOptions } from './retry.js'

/**
 * Makes a connection of any kind, for a client that has no `url`: a port to a worker, a window.
 * Called for every attempt; may throw or reject, which counts as a failed one. An
 * `RpcDisconnectedError` is judged by its `closeCode`, as the end of a socket is: after 4400 or 4403
 * the client stops.
 */
export type Connect = (attempt: {
  /** Aborts when the client no longer wants the connection. */
  signal: AbortSignal
}) => Transport | Promise<Transport>

/** A link of transports that a function makes. */
export class ReconnectingTransport implements Link {
  readonly isShared = false
  readonly #connect: Connect
  readonly #connectTimeoutMs: number
  readonly #events: LinkEvents
  readonly #pace: Pace
  #attempt: AbortController | undefined
  #transport: Transport | undefined
  #isAccepted = false

  constructor(
    connect: Connect,
    options: { retry: RetryOptions; connectTimeoutMs: number },
    events: LinkEvents,
  ) {
    this.#connect = connect
    this.#connectTimeoutMs = options.connectTimeoutMs
    this.#events = events
    this.#pace = new Pace(options.retry, true, events)
    // Begun later, as a socket would be: the client that makes this link does not have it yet.
    queueMicrotask(() => void this.#open())
  }

  lost(failure: Failure): void {
    this.#transport = undefined
    this.#isAccepted = false
    this.#pace.failed(failure)
    void this.#open()
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
    const attempt = this.#attempt
    this.#attempt = undefined
    attempt?.abort(new Error('The client makes another attempt'))
    const transport = this.#transport
    if (!transport) return
    this.#transport = undefined
    // The client has given this attempt up already, and makes another.
    closeQuietly(transport)
    void this.#open()
  }

  async stop(): Promise<void> {
    this.#pace.stop()
    this.#attempt?.abort()
    const transport = this.#transport
    this.#transport = undefined
    closeQuietly(transport)
  }

  async #open(): Promise<void> {
    while (await this.#pace.next()) {
      this.#events.connecting(this.#pace.attempt)
      const end = performance.now() + this.#connectTimeoutMs
      // `AbortSignal.timeout` and `AbortSignal.any` are missing in some versions of React Native.
      const attempt = new AbortController()
      this.#attempt = attempt
      const late = `no connection within ${this.#connectTimeoutMs} ms`
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        attempt.abort(new Error(late))
      }, this.#connectTimeoutMs)
      try {
        const transport = await unlessAborted(
          attempt.signal,
          this.#connect({ signal: attempt.signal }),
        )
        this.#transport = transport
        this.#events.open(transport, Math.max(0, end - performance.now()))
        return
      } catch (thrown) {
        // Another attempt has replaced it.
        if (attempt !== this.#attempt) continue
        this.#pace.failed({
          message: isLate ? late : describeThrown(thrown),
          closeCode: (thrown instanceof RpcDisconnectedError && thrown.closeCode) || 1006,
          cause: thrown,
        })
      } finally {
        clearTimeout(timer)
      }
    }
  }
}

/** A transport that comes too late is closed, not leaked. */
function unlessAborted(
  signal: AbortSignal,
  connecting: Transport | Promise<Transport>,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = () => signal.removeEventListener('abort', onAbort)
    Promise.resolve(connecting).then(
      (transport) => {
        settled()
        if (signal.aborted) closeQuietly(transport)
        else resolve(transport)
      },
      (thrown: unknown) => {
        settled()
        reject(thrown)
      },
    )
  })
}

/** Closes a transport that nobody needs any more; what it throws does not matter. */
function closeQuietly(transport: Transport | undefined): void {
  try {
    transport?.close()
  } catch {
    // A transport that fails to close is dropped all the same.
  }
}
