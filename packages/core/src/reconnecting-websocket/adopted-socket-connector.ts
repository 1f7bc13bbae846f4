import { resolveRetryOptions } from '../client/dial/backoff.js'
import type { Connector, ConnectorEvents } from '../client/dial/connector.js'
import type { Failure } from '../client/dial/failure.js'
import { httpFailure } from '../client/dial/http-failure.js'
import { RetrySchedule } from '../client/dial/retry-schedule.js'
import { withoutSecrets } from '../client/dial/url.js'
import { webSocketTransport } from '../transport/web-socket.js'
import type { AdoptedSocket, SocketEnd, SocketUser } from './adopted-socket.js'
import { OpenSocket } from './open-socket.js'

/** How long a socket may take over its closing handshake, in ms. */
const GOODBYE_MS = 1_000

/**
 * A connector over the connections of a reconnecting WebSocket. The socket makes the next attempt by itself. Only if
 * this side ended the connection, or the server asked it to come back later, the connector has it reconnect, by a
 * schedule of its own.
 */
export class AdoptedSocketConnector implements Connector, SocketUser {
  readonly isShared = false
  readonly connectTimeoutMs: number
  readonly #adopted: AdoptedSocket
  readonly #events: ConnectorEvents
  readonly #schedule: RetrySchedule
  #open: OpenSocket | undefined
  #isAccepted = false
  /** Attempts since the last connection that was accepted. */
  #attempts = 0
  /** Whether an attempt is under way that was told. */
  #isAttempting = false
  /** Whether the socket makes the next attempt by itself, or this connector, which has closed it. */
  #next: 'socket' | 'connector' | 'nobody' = 'socket'
  /** Whether the application has closed it. */
  #isClosed = false
  #isStopped = false
  #hasBegun = false
  /** Resolves when it has begun, unless it was stopped before. */
  readonly #begun: Promise<void>

  constructor(adopted: AdoptedSocket, connectTimeoutMs: number, events: ConnectorEvents) {
    this.#adopted = adopted
    this.connectTimeoutMs = connectTimeoutMs
    this.#events = events
    this.#schedule = new RetrySchedule(resolveRetryOptions(), adopted.canRefresh, {
      waiting: (retryAt, failure) => this.#waiting(retryAt, failure),
      stopped: (verdict, failure) => {
        this.#end()
        events.stopped(verdict, failure)
      },
    })
    // Begun later: the client that makes this connector does not have it yet.
    this.#begun = Promise.resolve().then(() => this.#begin())
  }

  lost(failure: Failure): void {
    this.#open = undefined
    this.#isAccepted = false
    this.#failed(failure)
  }

  accepted(_: number, windowMs: number): void {
    this.#isAccepted = true
    this.#attempts = 0
    this.#schedule.accepted(0, windowMs)
  }

  /** It is the socket that knows how long it waits. */
  spread(): void {}

  hurry(): void {
    if (this.#isAccepted || this.#isStopped) return
    if (this.#next === 'connector') return this.#schedule.hurry()
    this.#open?.dropped()
    this.#open = undefined
    this.#reconnect()
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#end()
    if (!this.#hasBegun) {
      // The socket is open all the same. Another client that was made in this turn may take it over.
      await this.#begun
      if (this.#adopted.take(this)) this.#end()
    }
    await this.#adopted.closed(GOODBYE_MS)
  }

  #begin(): void {
    if (this.#isStopped) return
    this.#hasBegun = true
    if (!this.#adopted.take(this)) {
      const message = 'the ReconnectingWebSocket is used by another client'
      const remedy = 'Close that one first, or give each client a socket of its own'
      this.#end()
      this.#events.stopped('failed', { message, remedy, closeCode: 1006 })
      return
    }
    this.attempting()
    this.#adopted.begin()
  }

  /** Nothing comes of it any more. */
  #end(): void {
    this.#isStopped = true
    this.#schedule.stop()
    this.#open?.dropped()
    if (this.#adopted.release(this)) this.#adopted.close()
  }

  // ── What the socket tells ─────────────────────────────────────────────────────────────────────

  attempting(): void {
    if (this.#isAttempting) return
    this.#isAttempting = true
    this.#events.connecting(++this.#attempts)
  }

  opened(): void {
    this.#next = 'socket'
    this.#open?.dropped()
    this.#open = new OpenSocket(this.#adopted, (code, reason) => {
      this.#next = 'connector'
      this.#adopted.close(code, reason)
    })
    this.#events.open(webSocketTransport(this.#open), this.connectTimeoutMs)
  }

  received(data: unknown): void {
    this.#open?.received(data)
  }

  ended({ code, reason, error }: SocketEnd, goesOn: boolean): void {
    // This side has ended it.
    if (this.#next !== 'socket') return
    if (!goesOn) this.#next = 'nobody'
    const what = error === 'TIMEOUT' ? 'no connection within its connectionTimeout' : error
    // The channel reports the loss.
    if (this.#open) return this.#open.ended(code, reason || what || '')
    const [, status] = /^Unexpected server response: (\d{3})$/.exec(what ?? '') ?? []
    const { url } = this.#adopted
    this.#failed({
      message: what || reason || 'the connection could not be opened',
      closeCode: code,
      ...(status ? httpFailure(Number(status)) : { remedy: 'Is the server running?' }),
      ...(url && { where: withoutSecrets(url) }),
    })
  }

  closed(): void {
    this.#isClosed = true
    this.#next = 'nobody'
    const message = 'the application closed the ReconnectingWebSocket'
    if (this.#open) this.#open.ended(1000, message)
    else this.#failed({ message, closeCode: 1000 })
  }

  // ── The next attempt ──────────────────────────────────────────────────────────────────────────

  #failed(failure: Failure): void {
    this.#isAttempting = false
    this.#schedule.failed(failure)
  }

  #waiting(retryAt: number, failure: Failure): void {
    if (this.#next === 'nobody') {
      this.#end()
      const remedy = this.#isClosed
        ? failure.remedy
        : 'The ReconnectingWebSocket makes no further attempt, by its own options (maxRetries)'
      return this.#events.stopped('failed', { ...failure, remedy })
    }
    if (this.#next === 'socket') {
      if (!failure.retryAfterMs) return this.#events.waiting(null, failure)
      // By itself it would come too soon.
      this.#next = 'connector'
      this.#adopted.close()
    }
    this.#events.waiting(retryAt, failure)
    void this.#schedule.next().then((isDue) => {
      // The application may have had it reconnect before.
      if (isDue && this.#next === 'connector') this.#reconnect()
    })
  }

  #reconnect(): void {
    this.#isAttempting = false
    this.#next = 'socket'
    this.#adopted.reconnect()
  }
}
