import { Listeners } from '../channel/listeners.js'
import type { RpcError } from '../errors.js'

/**
 * Where a client stands:
 *
 * - `idle`: not asked to connect yet
 * - `connecting`: its first attempt is under way
 * - `connected`: calls go through
 * - `reconnecting`: between connections; the next attempt is due at `retryAt`, or under way
 * - `offline`: as `reconnecting`, and the browser says that there is no network
 * - `unauthorized`: the server does not know who this is (4401, HTTP 401); stopped
 * - `failed`: the server, or the number of attempts, forbids another one; stopped
 * - `closed`: by `close()`; for good
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

/** A client's state at one moment; a change makes a new object. */
export interface ClientState {
  readonly status: ClientStatus
  /** Attempts to connect since the last connection that came about; 0 while connected. */
  readonly attempt: number
  /** When the next attempt is due, in ms since the epoch; null where none is waited for. */
  readonly retryAt: number | null
  /** Why the last attempt failed or the last connection ended; null while connected. */
  readonly lastError: RpcError | null
  /** How long the server took to answer, in ms, when it was last asked; null where it never was. */
  readonly latencyMs: number | null
  /** The server's name for this session; null before the first, and with a plain JSON-RPC server. */
  readonly sessionId: string | null
  /** Whether the connection continues the session of the one before. */
  readonly resumed: boolean
  /** Calls that were sent and wait for their answer; not streams, which may go on for ever. */
  readonly inFlight: number
  /** Calls and notifications that wait for a connection. */
  readonly queued: number
}

/** The state of a client that has done nothing yet; on a server that renders, of every client. */
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

/** Calls under way: they change all the time, and are counted where they are kept. */
type Counts = Pick<ClientState, 'inFlight' | 'queued'>

/** Holds a client's state, and tells its listeners of each change. */
export class StateHolder {
  readonly #listeners: Listeners<ClientState>
  readonly #counts: Counts
  #state = IDLE_STATE
  #told = IDLE_STATE
  #isTellingScheduled = false

  constructor(counts: Counts, onListenerError: (error: unknown) => void) {
    this.#counts = counts
    this.#listeners = new Listeners(onListenerError)
  }

  get current(): ClientState {
    const { inFlight, queued } = this.#counts
    if (inFlight !== this.#state.inFlight || queued !== this.#state.queued) {
      this.#state = Object.freeze({ ...this.#state, inFlight, queued })
    }
    return this.#state
  }

  subscribe(listener: (state: ClientState) => void): () => void {
    if (this.#listeners.isEmpty) this.#told = this.current
    return this.#listeners.add(listener)
  }

  /** Changes the state and tells of it, unless it says what it said before. */
  set(change: Partial<ClientState>): void {
    this.#state = Object.freeze({ ...this.current, ...change })
    this.#tell()
  }

  /** The counts may have changed; told once for all changes of a turn, where anybody listens. */
  recount(): void {
    if (this.#isTellingScheduled || this.#listeners.isEmpty) return
    this.#isTellingScheduled = true
    queueMicrotask(() => {
      this.#isTellingScheduled = false
      this.#tell()
    })
  }

  #tell(): void {
    const told = this.#told
    const now = this.current
    if ((Object.keys(now) as (keyof ClientState)[]).every((key) => now[key] === told[key])) {
      this.#state = told
    } else {
      this.#told = now
      this.#listeners.tell(now)
    }
  }
}
