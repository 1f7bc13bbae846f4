import { guarded } from '../base/guarded.js'
import { unref } from '../base/unref.js'
import type { RpcError } from '../errors/errors.js'

/**
 * The status of a client:
 *
 * - `idle`: not asked to connect yet
 * - `connecting`: its first attempt is under way
 * - `connected`: calls go through
 * - `reconnecting`: between connections; the next attempt is due at `retryAt`, or under way
 * - `offline`: as `reconnecting`, and the browser says that there is no network
 * - `unauthorized`: the server does not accept the client's credentials (4401, HTTP 401); stopped
 * - `failed`: the server, or the number of attempts, forbids another one; stopped
 * - `closed`: ended for good by `close()`
 */
export type ClientStatus =
  | 'idle'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'offline'
  | 'unauthorized'
  | 'failed'
  | 'closed'

/** A client's state at one moment. Each change makes a new object. */
export interface ClientState {
  /** Whether there is a connection, and what the client does about it. */
  readonly status: ClientStatus
  /** The number of attempts to connect since the last connection; 0 while connected. */
  readonly attempt: number
  /** When the next attempt is due, in ms since the epoch; null if none is awaited. */
  readonly retryAt: number | null
  /** Why the last attempt failed or the last connection ended; null while connected. */
  readonly lastError: RpcError | null
  /** How long the server took for its last answer to a ping or the hello, in ms; null if there was none. */
  readonly latencyMs: number | null
  /** The server's name for this session; null before the first, and with a plain JSON-RPC server. */
  readonly sessionId: string | null
  /** Whether the connection continues the session of the one before. */
  readonly resumed: boolean
  /** The number of calls that were sent and wait for their answer, without streams, which may go on for ever. */
  readonly inFlight: number
  /** The number of calls and notifications that wait for a connection. */
  readonly queued: number
}

/** The state of a client that has not begun to connect; on a server that renders, of every client. */
export const IDLE_STATE: ClientState = Object.freeze({
  status: 'idle',
  attempt: 0,
  retryAt: null,
  lastError: null,
  latencyMs: null,
  sessionId: null,
  resumed: false,
  inFlight: 0,
  queued: 0,
})

/** The counts of calls. They change often, and are read from the objects that keep the calls. */
interface Counts extends Pick<ClientState, 'inFlight' | 'queued'> {
  /** How many calls were begun since the client was made. */
  readonly begun: number
  /** Whether `recount` must be called when the counts may have changed. */
  isWatched: boolean
}

/** A listener and its state. */
interface Entry {
  readonly listener: (state: ClientState) => void
  /** Whether it made a call when counts were reported to it. Then it gets no counts until something else changes. */
  isQuiet: boolean
}

/**
 * How many changes of the counts are reported in the turn in which they happen, after a pause of `PAUSE_MS`. All others
 * are reported once in `COUNTS_MS`.
 */
const PROMPT_REPORTS = 8
/**
 * How long the counts must stay the same, in ms, before changes are reported at once again; and how often they are
 * reported otherwise.
 */
const PAUSE_MS = 1_000
const COUNTS_MS = 100

/**
 * Holds a client's state, and reports each change to its listeners, in order.
 *
 * A listener may make calls, which changes the counts. So that this does not go on for ever, changes of the counts are
 * reported later, together and less and less often. Listeners that make calls when counts are reported to them do not
 * get them.
 */
export class StateHolder {
  readonly #entries = new Set<Entry>()
  readonly #counts: Counts
  readonly #error: (error: unknown) => void
  #state = IDLE_STATE
  #reported = IDLE_STATE
  #isReporting = false
  /** The state has changed while listeners were being called. */
  #hasChanged = false
  #isReportScheduled = false
  #promptReportsLeft = PROMPT_REPORTS
  #countsReportedAt = 0

  /** @param onListenerError called with what a listener throws, or rejects with. */
  constructor(counts: Counts, onListenerError: (error: unknown) => void) {
    this.#counts = counts
    this.#error = onListenerError
    counts.isWatched = false
  }

  get current(): ClientState {
    const { inFlight, queued } = this.#counts
    if (inFlight !== this.#state.inFlight || queued !== this.#state.queued) {
      this.#state = Object.freeze({ ...this.#state, inFlight, queued })
    }
    return this.#state
  }

  /**
   * @returns a function that takes the listener away. A listener that is added twice is called twice, and each of these
   *   functions takes it away once.
   */
  subscribe(listener: (state: ClientState) => void): () => void {
    if (this.#entries.size === 0) {
      this.#reported = this.current
      this.#counts.isWatched = true
    }
    const entry: Entry = { listener, isQuiet: false }
    this.#entries.add(entry)
    return () => {
      this.#entries.delete(entry)
      if (this.#entries.size === 0) this.#counts.isWatched = false
    }
  }

  /** Changes the state and reports the change, unless the state stays the same. */
  set(change: Partial<ClientState>): void {
    this.#state = Object.freeze({ ...this.current, ...change })
    this.#report()
  }

  /** The counts may have changed. This is reported once for all changes of a turn. */
  recount(): void {
    if (this.#isReportScheduled) return
    this.#isReportScheduled = true
    const report = () => {
      this.#isReportScheduled = false
      this.#report()
    }
    if (performance.now() - this.#countsReportedAt > PAUSE_MS)
      this.#promptReportsLeft = PROMPT_REPORTS
    if (this.#promptReportsLeft > 0) queueMicrotask(report)
    // A change that is still to be reported must not keep the process alive.
    else unref(setTimeout(report, COUNTS_MS))
  }

  #report(): void {
    this.#hasChanged = true
    // The loop below reports the newest state next, so no listener gets an older state after a newer one.
    if (this.#isReporting) return
    this.#isReporting = true
    while (this.#hasChanged) {
      this.#hasChanged = false
      this.#reportNewest()
    }
    this.#isReporting = false
  }

  #reportNewest(): void {
    const reported = this.#reported
    const now = this.current
    let hasChanged = false
    let isOfCounts = true
    for (const key of KEYS) {
      if (now[key] === reported[key]) continue
      hasChanged = true
      if (key !== 'inFlight' && key !== 'queued') isOfCounts = false
    }
    if (!hasChanged) {
      this.#state = reported
      return
    }
    this.#reported = now
    if (isOfCounts) {
      this.#promptReportsLeft = Math.max(0, this.#promptReportsLeft - 1)
      this.#countsReportedAt = performance.now()
    }
    for (const entry of [...this.#entries]) {
      if (!isOfCounts) entry.isQuiet = false
      if (entry.isQuiet) continue
      const { begun } = this.#counts
      guarded(() => entry.listener(now), this.#error)
      entry.isQuiet = isOfCounts && this.#counts.begun > begun
    }
  }
}

const KEYS = Object.keys(IDLE_STATE) as readonly (keyof ClientState)[]
