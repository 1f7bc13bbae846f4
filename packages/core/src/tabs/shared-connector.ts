import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { Connector, ConnectorEvents, ConnectorSession } from '../client/dial/connector.js'
import type { Failure } from '../client/dial/failure.js'
import { RetrySchedule } from '../client/dial/retry-schedule.js'
import { assertWebSocketUrl } from '../client/dial/url.js'
import type { ShareOptions } from '../client/share.js'
import { describeThrown, RpcDisconnectedError } from '../errors/errors.js'
import type { MessagePortLike } from '../transport/ports.js'
import { randomId } from '../wire/random-id.js'
import { holdLock, whenFree } from './locks.js'
import {
  type LinkState,
  MESSAGES_VERSION,
  type OpenMessage,
  type TabMessage,
  type WorkerMessage,
} from './tab-messages.js'
import { TabPort } from './tab-port.js'

/** The part of a `SharedWorker` that a tab uses. */
export interface SharedWorkerLike {
  /** The port to the worker. */
  readonly port: MessagePortLike
  /** Adds a listener for a worker that could not be started. */
  addEventListener?(type: 'error', listener: () => void): void
}

/** The options of a tab's connector. */
export interface SharedConnectorOptions extends ShareOptions {
  readonly user?: string | (() => string | Promise<string>) | undefined
}

/** A tab stops after this number of failed attempts in a row to join a worker. */
const MAX_FAILURES = 3

/** A worker that this tab has joined, or wants to join. */
interface Membership {
  readonly port: TabPort<WorkerMessage, TabMessage>
  /** Releases the lock that shows the worker that this tab lives, and waits no longer for the worker's lock. */
  readonly leaving: AbortController
  /** Whether the first message of the worker has come. */
  hasJoined: boolean
  readonly joined: () => void
  /** Called if the worker can't be joined. */
  readonly failed: (error: Error) => void
}

/**
 * A tab's connector to the server through a worker that it shares with other tabs. The events of the worker's
 * connection are reported to the client as if the connection were its own.
 */
export class SharedConnector implements Connector {
  readonly isShared = true
  readonly #createWorker: () => SharedWorkerLike
  readonly #options: SharedConnectorOptions
  readonly #alone: (why: string) => void
  readonly #events: ConnectorEvents
  readonly #schedule: RetrySchedule
  readonly #stopping = new AbortController()
  #worker: Membership | undefined
  /** Whether the client has a connection of this connector. */
  #isOpen = false
  /** Whether the worker is connected to the server, as it last reported. */
  #isServed = false
  /** How long the server takes to answer the worker, in ms. */
  #latencyMs: number | null = null
  #session: ConnectorSession | undefined
  /** How many attempts to join a worker have failed, one after another. */
  #failures = 0
  /** The address that named the owner. It is also the answer to the worker's first question for the address. */
  #url: string | undefined

  /**
   * @param user names the user of this tab: tabs with the same user share. Default: tabs with the same address share.
   * @param alone called once with the reason if nothing can be shared; this connector has ended then.
   */
  constructor(
    createWorker: () => SharedWorkerLike,
    options: SharedConnectorOptions,
    events: ConnectorEvents,
    alone: (why: string) => void,
  ) {
    this.#alone = alone
    this.#createWorker = createWorker
    this.#options = options
    this.#events = events
    this.#schedule = new RetrySchedule(options.retry, true, events)
    this.#watchPage()
    // It begins later, as a socket does: the client that makes this connector does not have it yet.
    queueMicrotask(() => void this.#open())
  }

  get session(): ConnectorSession | undefined {
    return this.#session
  }

  lost(failure: Failure): void {
    this.#isOpen = false
    // The worker's own connection is lost. The tab gets another one together with the worker.
    if (this.#worker && !this.#isServed) return
    this.#schedule.failed(failure)
    void this.#open()
  }

  accepted(): void {
    this.#schedule.accepted(0, Number.POSITIVE_INFINITY)
    // The latency of the server, and not of the worker.
    this.#events.latency(this.#latencyMs)
  }

  spread(): void {}

  hurry(): void {
    this.#schedule.hurry()
    this.#worker?.port.send({ flashrpc: 'hurry' })
  }

  async stop(): Promise<void> {
    this.#end()
  }

  // ── The worker ────────────────────────────────────────────────────────────────────────────────

  async #open(): Promise<void> {
    while (await this.#schedule.next()) {
      if (this.#isOpen) return
      this.#events.connecting(this.#schedule.attempt)
      if (this.#worker) return this.#worker.port.send({ flashrpc: 'again' })
      try {
        return await this.#join()
      } catch (cause) {
        const message = describeThrown(cause)
        this.#leave(message)
        if (cause instanceof JoinError && ++this.#failures >= MAX_FAILURES) {
          return this.#doWithout(`${message} (${MAX_FAILURES} times)`)
        }
        this.#schedule.failed({ message, closeCode: 1006, cause })
      }
    }
  }

  /** Joins a worker, which runs already or starts. Rejects if the worker does not answer in time. */
  async #join(): Promise<void> {
    const leaving = new AbortController()
    const owner = await this.#ownerInTime()
    const lock = await holdLock(`flashrpc:${randomId()}`, leaving.signal)
    if (this.#stopping.signal.aborted) return leaving.abort()
    const { connectTimeoutMs } = this.#options
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      await new Promise<void>((joined, failed) => {
        const fail = (what: string) => failed(new JoinError(`the shared worker ${what}: ${REMEDY}`))
        const late = `said nothing for ${connectTimeoutMs} ms`
        timer = setTimeout(() => fail(late), Math.min(connectTimeoutMs, MAX_TIMER_MS))
        const worker = this.#createWorker()
        worker.addEventListener?.('error', () => fail('failed'))
        const port: TabPort<WorkerMessage, TabMessage> = new TabPort(worker.port, {
          message: (message) => this.#worker?.port === port && this.#receive(message, this.#worker),
          gone: () => this.#gone(port),
        })
        this.#worker = { port, leaving, hasJoined: false, joined, failed }
        port.send({ flashrpc: 'tab', lock, isVisible: isVisible(), owner })
      })
    } catch (thrown) {
      leaving.abort()
      throw thrown
    } finally {
      clearTimeout(timer)
    }
  }

  #gone(port: Membership['port']): void {
    if (this.#worker?.port !== port) return
    const { hasJoined } = this.#worker
    const message = 'the shared worker is gone'
    this.#leave(message)
    // If a connection was open, its end reports the loss. If the worker was not joined, the failed attempt does.
    if (hasJoined && !this.#isOpen) this.lost({ message, closeCode: 1006 })
  }

  #leave(reason: string): void {
    const worker = this.#worker
    this.#worker = undefined
    this.#isServed = false
    worker?.failed(new Error(reason))
    worker?.leaving.abort()
    worker?.port.close({ code: 1006, reason })
  }

  /** Nothing can be shared: the tab gets its own connection. */
  #doWithout(why: string): void {
    if (this.#stopping.signal.aborted) return
    this.#end()
    this.#alone(why)
  }

  /** Like `#owner`, but it also rejects if that takes too long. */
  #ownerInTime(): Promise<string> {
    const { connectTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const late = `user, or url, was not told within ${connectTimeoutMs} ms`
      const ms = Math.min(connectTimeoutMs, MAX_TIMER_MS)
      const timer = setTimeout(() => reject(new Error(late)), ms)
      void this.#owner()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }

  /** @returns the owner whose connection this tab wants. Rejects if it can't be found out. */
  async #owner(): Promise<string> {
    const { user, url } = this.#options
    if (user !== undefined) return `user ${typeof user === 'function' ? await user() : user}`
    this.#url = assertWebSocketUrl(typeof url === 'function' ? await url() : url)
    return `url ${this.#url}`
  }

  #end(): void {
    this.#schedule.stop()
    this.#stopping.abort()
    this.#worker?.port.send({ flashrpc: 'bye' })
    this.#leave('The client has stopped')
  }

  // ── Its messages ──────────────────────────────────────────────────────────────────────────────

  #receive(message: WorkerMessage | OpenMessage, worker: Membership): void {
    const { port, leaving } = worker
    if (message.flashrpc === 'worker') {
      this.#failures = 0
      if (message.v !== MESSAGES_VERSION) {
        return this.#doWithout(
          'the shared worker is of another version of flashrpc than this page: close the other tabs, or reload them',
        )
      }
      worker.hasJoined = true
      port.isWatched = message.lock !== undefined
      whenFree(message.lock, leaving.signal, () => this.#gone(port))
      worker.joined()
    } else if (message.flashrpc === 'alone') {
      this.#doWithout('the shared worker has the connection of another user, or to another address')
    } else if (message.flashrpc === 'state') this.#mirror(message.state)
    else if (message.flashrpc === 'ask-url') void this.#sendUrl(message.n, port)
    else if (message.flashrpc === 'open') {
      const id = message.session ?? null
      this.#session = { id, isSame: id !== null && id === this.#session?.id }
      this.#isOpen = true
      this.#events.open(port.connect(message.n), this.#options.connectTimeoutMs)
    }
  }

  /** Reports the worker's attempts, waits and ends as those of this client. */
  #mirror({ status, attempt, retryAt, latencyMs, failure }: LinkState): void {
    this.#isServed = status === 'connected'
    this.#latencyMs = latencyMs
    this.#events.latency(latencyMs)
    const reported = failure && {
      ...failure,
      cause: new RpcDisconnectedError(failure.message, 'not-sent', failure),
    }
    if (status === 'failed' || status === 'unauthorized') {
      this.#end()
      if (reported) this.#events.stopped(status, reported)
    } else if (retryAt !== null && reported) this.#events.waiting(retryAt, reported)
    else if (status !== 'connected' && status !== 'idle') this.#events.connecting(attempt)
  }

  async #sendUrl(n: number, port: Membership['port']): Promise<void> {
    const { url } = this.#options
    const known = this.#url
    this.#url = undefined
    try {
      const address = known ?? (typeof url === 'function' ? await url() : url)
      port.send({ flashrpc: 'url', n, url: assertWebSocketUrl(address) })
    } catch (thrown) {
      port.send({ flashrpc: 'url', n, why: describeThrown(thrown) })
    }
  }

  // ── The page ──────────────────────────────────────────────────────────────────────────────────

  #watchPage(): void {
    const { signal } = this.#stopping
    const seen = () => {
      this.#worker?.port.send({ flashrpc: 'seen', isVisible: isVisible() })
    }
    globalThis.document?.addEventListener('visibilitychange', seen, { signal })
    globalThis.addEventListener?.('focus', seen, { signal })
    // A page that is left may be kept, and come back ("back/forward cache"). Until then the worker must not use it.
    const left = () => this.#worker?.port.send({ flashrpc: 'bye' })
    globalThis.addEventListener?.('pagehide', left, { signal })
    const shown = ({ persisted }: PageTransitionEvent) => {
      if (persisted && this.#worker) this.#gone(this.#worker.port)
    }
    globalThis.addEventListener?.('pageshow', shown, { signal })
  }
}

const REMEDY =
  'see whether its script is served and runs, and calls serveTabs() before anything is awaited'

/** Whether the user sees the page. Outside of a page, true. */
function isVisible(): boolean {
  return globalThis.document?.visibilityState !== 'hidden'
}

/** A worker that could not be joined. */
class JoinError extends Error {}
