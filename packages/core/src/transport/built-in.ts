import type { Frame } from '../wire/codec.js'
import type { Transport, TransportEvents } from './transport.js'

/** Marks the transports of this library. */
export const BUILT_IN: unique symbol = Symbol('built-in')

/** The events that only transports of this library have. */
export interface BuiltInEvents extends TransportEvents {
  /** Everything that waited to be sent has left. Called once after each `watchDrain` that returned true. */
  drained?(): void
  /** Bytes of an unfinished message came. */
  arriving?(): void
  /**
   * Frames came that are not messages: control frames, or parts of messages.
   *
   * @param bytes their size, as far as no message counts it.
   */
  otherFrames?(frames: number, bytes: number): void
  /** A frame broke the wire's own protocol, or was larger than the wire takes; `close` follows. */
  unreadable?(cause: Error): void
}

/**
 * A transport of this library. It has members that make connections faster, or report more about them, than
 * {@link Transport} alone. It calls its events as members of their object, so they may use `this`.
 */
export interface BuiltInTransport extends Transport {
  /** The transport itself: a copy of its members, which may have replaced some of them, is not built in. */
  readonly [BUILT_IN]: BuiltInTransport
  start(events: BuiltInEvents): void
  /** Sends frames that belong together, if that costs less than to send one after the other. */
  sendTogether?(frames: readonly Frame[]): boolean
  /** Holds frames that are sent, so that they leave together when they are released, if that saves something. */
  cork?(isHeld: boolean): void
  /** As `bufferedBytes`, but it also falls when a part of a frame has left, which shows that the other side reads. */
  readonly unsentBytes?: number
  /**
   * Asks for `events.drained` when nothing waits to be sent any more.
   *
   * @returns false if there will be no such event.
   */
  watchDrain?(): boolean
  /** Sends a control frame as a sign of life, without being asked, if the wire has one. */
  pong?(): void
  /**
   * Whether bytes have arrived, or waiting bytes have left, since the last time it was asked, if that is known. Then
   * the other side is alive, even if no whole message has come.
   */
  hasMoved?(): boolean
}

/** @returns the transport, if it is one of this library's. */
export function builtIn(transport: Transport): BuiltInTransport | undefined {
  const { [BUILT_IN]: marked } = transport as Partial<BuiltInTransport>
  return marked === transport ? marked : undefined
}
