import type { Transport } from '../../transport/transport.js'
import type { Failure } from './failure.js'
import type { ScheduleEvents } from './retry-schedule.js'

/** What a link tells the client. */
export interface LinkEvents extends ScheduleEvents {
  /** An attempt begins; counted from 1 since the last connection that came about. */
  connecting(attempt: number): void
  /** @param retryAt when the next attempt is due, in ms since the epoch; null where that is not known. */
  waiting(retryAt: number | null, failure: Failure): void
  /** An attempt has a connection. @param timeLeftMs how much time the attempt has left, in ms. */
  open(transport: Transport, timeLeftMs: number): void
  /** How long the server takes to answer, in ms, where the connection to it is another program's. */
  latency(ms: number | null): void
}

/** The session that another program has with the server. */
export interface LinkSession {
  /** The server's name for it; null with a plain JSON-RPC server. */
  readonly id: string | null
  /** Whether it is that of the link's connection before. */
  readonly isSame: boolean
}

/**
 * Makes one connection after another. It is used once: what has stopped, by itself or by `stop`, is
 * thrown away and a new one made.
 */
export interface Link {
  /** Where the server is behind another program, which the connection is to: its session with that. */
  readonly session?: LinkSession | undefined
  /**
   * Whether the connection leads to another program, which passes calls on to the server. Then that program says hello
   * to the server.
   */
  readonly isShared: boolean
  /** The connection it made has ended: the client's channel says so, and says why. */
  lost(failure: Failure): void
  /**
   * The connection it made has been accepted by the server.
   *
   * @param spreadMs the window over which the server wishes its clients to come back, in ms.
   * @param windowMs how long the session outlives a connection, in ms; `Infinity` where there is none.
   */
  accepted(spreadMs: number, windowMs: number): void
  /** The server wishes its clients to come back over another window, in ms. */
  spread(spreadMs: number): void
  /** Attempts the next connection at once, and gives up an attempt that is under way. An accepted connection stays. */
  hurry(): void
  /** Makes no further connection. Resolves when the last socket is closed. */
  stop(): Promise<void>
}
