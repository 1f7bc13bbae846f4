import { describeThrown, RpcDisconnectedError } from '../../errors/errors.js'
import type { Transport } from '../../transport/transport.js'
import { Attempt } from './attempt.js'
import type { RetryOptions } from './backoff.js'
import { closeQuietly } from './close-quietly.js'
import type { Connector, ConnectorEvents } from './connector.js'
import { DialError, type Dialer } from './dialer.js'
import type { Failure } from './failure.js'
import { RetrySchedule } from './retry-schedule.js'

/** The options of a loop that makes connections. */
export interface ReconnectorOptions {
  readonly retry: RetryOptions
  /** How long an attempt may take, in ms, until the server has answered the hello. */
  readonly connectTimeoutMs: number
}

/** Makes one connection after another: each is dialed when the schedule says so, until it is stopped. */
export class Reconnector implements Connector {
  readonly isShared = false
  readonly #dialer: Dialer
  readonly #options: ReconnectorOptions
  readonly #events: ConnectorEvents
  readonly #schedule: RetrySchedule
  /** The newest attempt, which is given up when its connection is no longer wanted. */
  #attempt: Attempt | undefined
  /** The connection of the newest attempt, until it is lost. */
  #transport: Transport | undefined
  /** Whether the server has accepted that connection. */
  #isAccepted = false

  constructor(dialer: Dialer, options: ReconnectorOptions, events: ConnectorEvents) {
    this.#dialer = dialer
    this.#options = options
    this.#events = events
    this.#schedule = new RetrySchedule(options.retry, dialer.canRefresh, events)
    // Begun later: the client that makes this connector does not have it yet.
    queueMicrotask(() => void this.#connect())
  }

  lost(failure: Failure): void {
    // The socket of a dead peer can take a minute to close, so it is not waited for.
    this.#transport = undefined
    this.#isAccepted = false
    this.#schedule.failed(failure)
    void this.#connect()
  }

  accepted(spreadMs: number, windowMs: number): void {
    this.#isAccepted = true
    this.#schedule.accepted(spreadMs, windowMs)
  }

  spread(spreadMs: number): void {
    this.#schedule.spread(spreadMs)
  }

  hurry(): void {
    if (this.#isAccepted) return
    this.#schedule.hurry()
    const attempt = this.#attempt
    this.#attempt = undefined
    attempt?.giveUp('The client makes another attempt')
    const transport = this.#transport
    if (!transport) return
    // The client has given this connection up already.
    this.#transport = undefined
    closeQuietly(transport, true)
    void this.#connect()
  }

  async stop(): Promise<void> {
    this.#schedule.stop()
    this.#attempt?.giveUp('The client has stopped')
    const transport = this.#transport
    this.#transport = undefined
    closeQuietly(transport)
    await this.#dialer.close?.()
  }

  /** Resolves when there is a connection, or when there will be none. */
  async #connect(): Promise<void> {
    while (await this.#schedule.next()) {
      this.#events.connecting(this.#schedule.attempt)
      const attempt = new Attempt(this.#options.connectTimeoutMs)
      this.#attempt = attempt
      try {
        const transport = await this.#dialer.dial(attempt)
        if (!attempt.signal.aborted) {
          this.#transport = transport
          return this.#events.open(transport, attempt.timeLeftMs)
        }
        closeQuietly(transport, true)
      } catch (thrown) {
        // Another attempt may have replaced it.
        if (attempt === this.#attempt) this.#schedule.failed(failureOf(thrown))
      } finally {
        attempt.stopTimer()
      }
    }
  }
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof DialError) return thrown.failure
  const closeCode = (thrown instanceof RpcDisconnectedError && thrown.closeCode) || 1006
  return { message: describeThrown(thrown), closeCode, cause: thrown }
}
