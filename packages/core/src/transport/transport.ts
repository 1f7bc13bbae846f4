import type { Frame } from '../wire/codec.js'

/** Why a connection ended. Codes are those of RFC 6455, section 7.4, and ours (docs/protocol.md). */
export interface CloseInfo {
  readonly code: number
  readonly reason: string
}

/**
 * What a transport tells the channel that it serves. Each of them is a function of its own: a transport may take them
 * apart.
 */
export interface TransportEvents {
  /** One frame came in. */
  frame(frame: Frame): void
  /** The connection ended, for whatever reason. To be told once, and nothing after it. */
  close(info: CloseInfo): void
  /** The other side answered a `ping`. Needed only of a transport with `ping`. */
  pong?(): void
}

/**
 * Frames in and out, over one live connection. It is made open and is never opened again.
 *
 * An application can give its own, with the four members that have no default: `reliable`, `start`, `send` and `close`.
 */
export interface Transport {
  /** True if the wire itself can't lose or stall, as within a machine: no heartbeat is needed on it. */
  readonly reliable: boolean
  /** Begins delivery. Called once, by the channel; frames that came before it are delivered first. */
  start(events: TransportEvents): void
  /**
   * Hands one frame to the wire, and returns false if it certainly did not leave: then its call may be sent again.
   * Bytes may change once it has returned: a wire that still needs them by then copies them.
   */
  send(frame: Frame): boolean
  /**
   * Ends the connection; `events.close` follows. Safe to call twice. Default: 1000, and no reason.
   */
  close(code?: number, reason?: string): void
  /**
   * Whether a frame can leave now. It is for wires that close a while before they tell it (`events.close`): what is
   * called meanwhile waits for the next connection. Default: true until `events.close`.
   */
  readonly isOpen?: boolean
  /**
   * Whether a session may go on over another one when it has ended. Default: if it is not `reliable`, since
   * a connection that can't be lost need not be replaced.
   */
  readonly isReplaceable?: boolean
  /**
   * How many bytes wait here to leave: a slow reader makes them many, and then messages wait in the channel, whose
   * limits count them (`limits.sendBuffer`). Default: not known, and taken for 0.
   */
  readonly bufferedBytes?: number
  /**
   * Reads nothing until it is called with `false`, so that the other side has to wait. Default: it can't; then a
   * client that sends more than `limits` allow is cut off, and not held up.
   */
  pause?(isPaused: boolean): void
  /**
   * Ends the connection at once, without a goodbye that is waited for: the other side is known to be dead. Default:
   * `close`.
   */
  terminate?(): void
  /**
   * Asks for a sign of life by the wire's own means, if it has such; `events.pong` tells the answer. Default: it can't;
   * then the heartbeat asks by a message, and can't ask peers that speak JSON-RPC 2.0 only.
   */
  ping?(): void
}
