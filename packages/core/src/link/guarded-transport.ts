import { type ErrorContext, OF_CONNECTION } from '../logging/error-context.js'
import { type BuiltInEvents, type BuiltInTransport, builtIn } from '../transport/built-in.js'
import type { DialectTransport } from '../transport/dialect.js'
import type { CloseInfo } from '../transport/transport.js'
import type { FrameWriter } from '../wire/attachments.js'
import type { Frame } from '../wire/codec.js'
import { atEndOfTurn, type FrameSink, type InTurn } from './shared-frame.js'
import type { TappedConnection, WireTap } from './wire-tap.js'

/** The connection over a transport. */
export interface TransportOwner {
  readonly stage: 'waiting' | 'plain' | 'extended' | 'over'
  /** A frame has passed the tap. */
  receive(frame: Frame): void
  /** A function of the transport or of the tap has failed, and the connection must end. */
  failed(thrown: unknown): void
  /** The tap ends the connection. */
  drop(info: CloseInfo): void
  /** A function has failed whose result nobody needs. */
  error(error: unknown, context: ErrorContext): void
}

/** Why nothing is read: the other side sends too much, or does not read what waits for it. */
export type PauseReason = 'over-rate' | 'held-back'

/** The transport of one connection, and the tap on its frames. If a function of either throws, its owner is told. */
export class GuardedTransport implements FrameWriter, FrameSink, InTurn {
  readonly #transport: DialectTransport
  /** The same, if it is one of this library's. */
  readonly #builtIn: BuiltInTransport | undefined
  readonly #owner: TransportOwner
  #isCorked = false
  /** Why nothing is read now; empty if reading goes on. */
  #pauses: PauseReason[] = NONE
  /** The tap that frames pass in both directions. */
  tapped: TappedConnection | undefined

  constructor(transport: DialectTransport, owner: TransportOwner) {
    this.#transport = transport
    this.#builtIn = builtIn(transport)
    this.#owner = owner
  }

  /** @throws what the transport throws. */
  start(events: Required<BuiltInEvents>): void {
    if (this.#builtIn) this.#builtIn.start(events)
    else this.#transport.start(boundEvents(events))
  }

  /** The name of the other side's dialect, if it does not use JSON-RPC 2.0. */
  get dialect(): string | undefined {
    return this.#transport.dialect
  }

  // ── What waits to be sent ─────────────────────────────────────────────────────────────────────

  /** The number of bytes that wait to be sent, if that is known. */
  get bufferedBytes(): number | undefined {
    try {
      return this.#transport.bufferedBytes
    } catch (thrown) {
      this.#owner.failed(thrown)
      return undefined
    }
  }

  /** As `bufferedBytes`, but it also falls when a part of a frame has left, if that is known. */
  get unsentBytes(): number {
    return this.#guard(() => this.#builtIn?.unsentBytes ?? this.#transport.bufferedBytes) ?? 0
  }

  /** Asks for the event `drained`. @returns false if there will be no such event. */
  watchDrain(): boolean {
    return this.#guard(() => this.#builtIn?.watchDrain?.()) ?? false
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────

  get canPause(): boolean {
    return this.#transport.pause !== undefined
  }

  /** Stops reading for a reason, if the transport can be paused, or ends the reason. @returns whether this has changed anything. */
  pause(why: PauseReason, isPaused: boolean): boolean {
    const before = this.#pauses
    if (!this.#transport.pause || isPaused === before.includes(why)) return false
    this.#pauses = isPaused ? [...before, why] : before.filter((one) => one !== why)
    if (before.length > 0 && this.#pauses.length > 0) return false
    try {
      this.#transport.pause(isPaused)
    } catch (thrown) {
      this.#owner.failed(thrown)
    }
    return true
  }

  // ── Sending ───────────────────────────────────────────────────────────────────────────────────

  get isClosed(): boolean {
    try {
      return this.#transport.isOpen === false
    } catch (thrown) {
      this.#owner.failed(thrown)
      return true
    }
  }

  sendFrame(frame: Frame): boolean {
    try {
      if (!this.tapped) return this.#transport.send(frame)
      // The transport may hold the frame back.
      return this.tapped.send(typeof frame === 'string' ? frame : new Uint8Array(frame))
    } catch (thrown) {
      this.#owner.failed(thrown)
      return false
    }
  }

  get direct(): BuiltInTransport | undefined {
    return this.tapped ? undefined : this.#builtIn
  }

  /**
   * Writes of one turn leave together even if they can't share a frame: messages to a plain peer, the frames of one
   * message.
   */
  cork(): void {
    if (this.#isCorked || !this.#builtIn?.cork) return
    this.#isCorked = true
    atEndOfTurn(this)
    this.#hold(true)
  }

  endTurn(): void {
    this.#isCorked = false
    this.#hold(false)
  }

  #hold(isHeld: boolean): void {
    this.#guard(() => this.#builtIn?.cork?.(isHeld))
  }

  failed(thrown: unknown): void {
    this.#owner.failed(thrown)
  }

  /** @returns what a function of the transport returns; undefined if it throws. */
  #guard<Result>(act: () => Result): Result | undefined {
    try {
      return act()
    } catch (thrown) {
      this.#owner.failed(thrown)
      return undefined
    }
  }

  // ── The tap ───────────────────────────────────────────────────────────────────────────────────

  /** From now on, frames in both directions pass through this tap, or through none. */
  tap(tap: WireTap | undefined): void {
    this.tapped = undefined
    // If the tap fails here, it is left out.
    this.#tryOut(() => {
      this.tapped = tap?.connected({
        send: (frame) => {
          if (this.#owner.stage === 'over') return false
          return this.#guard(() => this.#transport.send(frame)) ?? false
        },
        receive: (frame) => this.#owner.receive(frame),
        cut: (reason) => this.#owner.drop({ code: 1006, reason }),
      })
    })
  }

  /** Tells the tap that the connection has ended. */
  ended(info: CloseInfo): void {
    if (this.tapped) this.#tryOut(() => this.tapped?.ended(info))
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────

  close(code: number, reason: string): void {
    this.#tryOut(() => this.#transport.close(code, reason))
  }

  /** Closes the transport to a side that is known to be dead: there is no closing handshake. */
  terminate({ code, reason }: CloseInfo): void {
    this.#tryOut(() => {
      if (this.#transport.terminate) this.#transport.terminate()
      else this.#transport.close(code, reason)
    })
  }

  /** Runs a function without using its result. If it throws, `onError` is called. */
  #tryOut(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      this.#owner.error(thrown, OF_CONNECTION)
    }
  }
}

const NONE: PauseReason[] = []

/** The events as an object that a transport may destructure. */
function boundEvents(events: Required<BuiltInEvents>): BuiltInEvents {
  return {
    frame: (frame) => events.frame(frame),
    close: (info) => events.close(info),
    pong: () => events.pong(),
    drained: () => events.drained(),
    arriving: () => events.arriving(),
    otherFrames: (frames, bytes) => events.otherFrames(frames, bytes),
    unreadable: (cause) => events.unreadable(cause),
  }
}
