import type { Transport } from '../../transport/transport.js'
import type { Failure } from './failure.js'
import type { ScheduleEvents } from './retry-schedule.js'

/** The events of a connector, for the client. */
export interface ConnectorEvents extends ScheduleEvents {
  /** An attempt begins. @param attempt its number since the last connection, from 1. */
  connecting(attempt: number): void
  /** @param retryAt when the next attempt is due, in ms since the epoch; null if it is not known. */
  waiting(retryAt: number | null, failure: Failure): void
  /** An attempt has a connection. @param timeLeftMs how much time the attempt has left, in ms. */
  open(transport: Transport, timeLeftMs: number): void
  /** How long the server takes to answer, in ms, if the connection to it is another program's. */
  latency(ms: number | null): void
}

/** The session that another program has with the server. */
export interface ConnectorSession {
  /** The server's name for it; null with a plain JSON-RPC server. */
  readonly id: string | null
  /** Whether it is the session of the connector's previous connection. */
  readonly isSame: boolean
}

/**
 * Makes one connection after another. A connector is used once: after it has stopped, by itself or by `stop`, a new
 * one is made.
 */
export interface Connector {
  /** If the connection leads to another program: the session that this program has with the server. */
  readonly session?: ConnectorSession | undefined
  /**
   * Whether the connection leads to another program, which passes calls on to the server. Then that program says hello
   * to the server.
   */
  readonly isShared: boolean
  /** Called by the client's channel when the connection has ended, with the reason. */
  lost(failure: Failure): void
  /**
   * Called when the server has accepted the connection.
   *
   * @param spreadMs the window over which the server wants its clients to reconnect, in ms.
   * @param windowMs how long the session outlives a connection, in ms; `Infinity` if there is none.
   */
  accepted(spreadMs: number, windowMs: number): void
  /** The server wants its clients to reconnect over another window, in ms. */
  spread(spreadMs: number): void
  /** Attempts the next connection at once, and gives up an attempt that is under way. An accepted connection stays. */
  hurry(): void
  /** Makes no further connection. Resolves when the last socket is closed. */
  stop(): Promise<void>
}
