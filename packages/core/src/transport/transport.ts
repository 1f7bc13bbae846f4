import type { Frame } from '../wire/codec.js'

/** Why a connection ended. Codes are those of RFC 6455, section 7.4, and ours (docs/protocol.md). */
export interface CloseInfo {
  /** The close code. */
  readonly code: number
  /** The reason in words; empty if none was given. */
  readonly reason: string
}

/**
 * The events of a transport, for its channel. Each is a function that does not use `this`: a transport may destructure
 * them.
 */
export interface TransportEvents {
  /** One frame came in. */
  frame(frame: Frame): void
  /** The connection has ended, for any reason. It is called once, and no event follows it. */
  close(info: CloseInfo): void
  /** The other side answered a `ping`. Needed only of a transport with `ping`. */
  pong?(): void
}

/**
 * One live connection that carries frames in both directions. It is open when it is made, and is never opened again.
 *
 * An application can have its own transport, with the four members that have no default: `reliable`, `start`, `send`
 * and `close`.
 */
export interface Transport {
  /** True if the wire can't lose frames or stall, as within a machine. Then it needs no heartbeat. */
  readonly reliable: boolean
  /** Begins to deliver frames. The channel calls it once. Frames that came before that are delivered first. */
  start(events: TransportEvents): void
  /**
   * Passes one frame to the wire, and returns false if it certainly did not leave: then its call may be sent again.
   * Bytes may change after it has returned. A wire that needs them for longer copies them.
   */
  send(frame: Frame): boolean
  /**
   * Ends the connection; `events.close` follows. Safe to call twice. Default: 1000, and no reason.
   */
  close(code?: number, reason?: string): void
  /**
   * Whether a frame can leave now. It is for wires that close a while before `events.close` is called: calls that are
   * made meanwhile wait for the next connection. Default: true until `events.close`.
   */
  readonly isOpen?: boolean
  /**
   * Whether a session may go on over another transport when this one has ended. Default: true if it is not `reliable`,
   * because a connection that can't be lost need not be replaced.
   */
  readonly isReplaceable?: boolean
  /**
   * The number of bytes that wait here to be sent. If the other side reads slowly, the number grows. Then messages wait
   * in the channel, whose limits count them (`limits.sendBuffer`). Default: not known, and counted as 0.
   */
  readonly bufferedBytes?: number
  /**
   * Reads nothing until it is called with `false`, so that the other side has to wait. Default: it can't be paused.
   * Then a client that sends more than `limits` allow is disconnected, and not slowed down.
   */
  pause?(isPaused: boolean): void
  /**
   * Ends the connection at once, without waiting for a closing handshake: the other side is known to be dead. Default:
   * `close`.
   */
  terminate?(): void
  /**
   * Asks for a sign of life by a ping of the wire itself, if it has one; `events.pong` reports the answer. Default: it
   * can't. Then the heartbeat asks by a message, and can't ask plain peers.
   */
  ping?(): void
}
