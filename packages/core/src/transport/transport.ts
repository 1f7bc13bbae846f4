import type { Frame } from '../wire/codec.js'

/** Why a connection ended. Codes are those of RFC 6455, section 7.4, and ours (docs/protocol.md). */
export interface CloseInfo {
  readonly code: number
  readonly reason: string
}

/** What a transport tells the channel it serves. */
export interface TransportEvents {
  /** One frame came in. */
  frame(frame: Frame): void
  /** The connection ended, for whatever reason. Told once, and nothing after it. */
  close(info: CloseInfo): void
  /** The other side answered a `ping`. */
  pong?(): void
  /** Everything that waited to be sent has left. Called once after each `watchDrain` that returned true. */
  drained?(): void
  /** Bytes of an unfinished message came. */
  arriving?(): void
  /**
   * Frames came that are not messages: control frames, or parts of messages. @param bytes their size, as far as no
   * message counts it.
   */
  passed?(frames: number, bytes: number): void
  /** A frame broke the wire's own protocol, or was larger than the wire takes; `close` follows. */
  unreadable?(cause: Error): void
}

/** Frames in and out, over one live connection. It is made open and is never opened again. */
export interface Transport {
  /** True where the wire itself can't lose or stall: no heartbeat is needed on it. */
  readonly reliable: boolean
  /**
   * Whether a session may go on over another one when it has ended. Default: where it is not `reliable`, since
   * what can't be lost need not be found again.
   */
  readonly isReplaceable?: boolean
  /**
   * Whether it calls members of its events as members only, so that they need be no functions of their own. Default
   * false: it may take them apart.
   */
  readonly keepsEventsWhole?: boolean
  /** The name of the dialect that is spoken over it, if that is already known and is not JSON-RPC 2.0. */
  readonly dialect?: string | undefined
  /** Begins delivery. Called once, by the channel; frames that came before it are delivered first. */
  start(events: TransportEvents): void
  /** Whether a frame can leave now, where that may change ahead of `events.close`. */
  readonly isOpen?: boolean
  /**
   * Hands one frame to the wire, and returns false where it certainly did not leave. Bytes may change once it has
   * returned: a wire that still needs them by then copies them.
   */
  send(frame: Frame): boolean
  /** The same of frames that belong together, where that takes less than one after the other. */
  sendTogether?(frames: readonly Frame[]): boolean
  /** Ends the connection; `events.close` follows. Safe to call twice. */
  close(code?: number, reason?: string): void
  /** Ends it at once, without a goodbye to wait for, where the other side is known to be dead. */
  terminate?(): void
  /** How many bytes wait here to leave, where that is known: a slow reader makes them many. */
  readonly bufferedBytes?: number
  /**
   * As `bufferedBytes`, but it also falls when a part of a frame has left, which shows that the other side takes
   * something.
   */
  readonly unsentBytes?: number
  /**
   * Asks for `events.drained` when nothing waits to be sent any more. @returns false if there will be no such event.
   */
  watchDrain?(): boolean
  /** Reads nothing for a while, so that the other side has to wait; or goes on, where it can. */
  pause?(isPaused: boolean): void
  /** Holds what is sent, so that it leaves at once when it is let go, where that saves something. */
  cork?(isHeld: boolean): void
  /** A ping of the wire's own, where it has one; answered by `events.pong`. */
  ping?(): void
  /** Sends a control frame as a sign of life, without being asked, if the wire has one. */
  pong?(): void
  /**
   * Whether bytes have arrived, or waiting bytes have left, since the last time it was asked, if that is known. Then
   * the other side is alive, even if no whole message has come.
   */
  hasMoved?(): boolean
}
