import { atEndOfTurn, type InTurn } from '../link/shared-frame.js'
import type { BuiltInEvents, BuiltInTransport } from '../transport/built-in.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Frame } from '../wire/codec.js'

/** The part of a lane that only this library's has. */
interface SigningTransport extends BuiltInTransport {
  /** Tells the other end that the client is alive: frames arrive from it that are not (yet) a message. */
  sign?(frames?: number, bytes?: number): void
}

/** The client is told to come back, and finds its session again. RFC 6455, section 7.4, and its registry: "Service Restart". */
const RESTART = 1012
/** The most bytes that may wait in either direction. Then the sender is paused. */
const MAX_WAITING_BYTES = 1024 * 1024
/** How often a socket that does not tell when it has room again is asked, in ms. */
const POLL_MS = 20

/** Carries the frames between a client's socket and the node that has its session, in both directions. */
export class Relay implements BuiltInEvents, InTurn {
  readonly #socket: BuiltInTransport
  readonly #lane: SigningTransport
  readonly #ended: () => void
  #isSocketPaused = false
  #isLanePaused = false
  #isCorked = false
  #look: ReturnType<typeof setInterval> | undefined

  /** @param ended called when the socket has closed. */
  constructor(socket: BuiltInTransport, lane: BuiltInTransport, ended: () => void) {
    this.#socket = socket
    this.#lane = lane
    this.#ended = ended
  }

  /** @param early the frames that have come by now. */
  start(early: readonly Frame[]): void {
    this.#socket.start(this)
    this.#lane.start({
      frame: (frame) => this.#down(frame),
      close: (info) => this.#laneClosed(info),
      drained: () => this.#laneDrained(),
    })
    for (const frame of early) this.frame(frame)
  }

  /** This node is closing: the session goes on, and its client comes back to it through another node. */
  end({ reason }: CloseInfo): void {
    this.#lane.close(1006, reason)
    this.#socket.close(RESTART, reason)
  }

  // ── Events of the socket ──────────────────────────────────────────────────────────────────────

  frame(frame: Frame): void {
    this.#lane.send(frame)
    if (this.#isSocketPaused || (this.#lane.bufferedBytes ?? 0) < MAX_WAITING_BYTES) return
    this.#isSocketPaused = true
    this.#socket.pause?.(true)
    if (!this.#lane.watchDrain?.()) this.#laneDrained()
  }

  close({ code, reason }: CloseInfo): void {
    clearInterval(this.#look)
    this.#lane.close(code, reason)
    this.#ended()
  }

  arriving(): void {
    this.#lane.sign?.()
  }

  otherFrames(frames: number, bytes: number): void {
    this.#lane.sign?.(frames, bytes)
  }

  drained(): void {
    if (!this.#isLanePaused || (this.#socket.bufferedBytes ?? 0) > MAX_WAITING_BYTES / 2) return
    clearInterval(this.#look)
    this.#isLanePaused = false
    this.#lane.pause?.(false)
  }

  // ── Events of the lane ────────────────────────────────────────────────────────────────────────

  #down(frame: Frame): void {
    this.#cork()
    this.#socket.send(frame)
    if (this.#isLanePaused || (this.#socket.bufferedBytes ?? 0) < MAX_WAITING_BYTES) return
    this.#isLanePaused = true
    this.#lane.pause?.(true)
    if (!this.#socket.watchDrain?.()) this.#look = setInterval(() => this.drained(), POLL_MS)
  }

  /** Frames that have come together leave together. */
  #cork(): void {
    if (this.#isCorked || !this.#socket.cork) return
    this.#isCorked = true
    this.#socket.cork(true)
    atEndOfTurn(this)
  }

  endTurn(): void {
    this.#isCorked = false
    this.#socket.cork?.(false)
  }

  #laneDrained(): void {
    if (!this.#isSocketPaused) return
    this.#isSocketPaused = false
    this.#socket.pause?.(false)
  }

  /** Closes the client's socket as the session's node did. If that node was lost, the client reconnects. */
  #laneClosed({ code, reason }: CloseInfo): void {
    if (code === 1006) this.#socket.close(RESTART, reason)
    else this.#socket.close(code, reason)
  }
}
