import { BUILT_IN, type BuiltInEvents, type BuiltInTransport } from '../transport/built-in.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Frame } from '../wire/codec.js'

/** The head of a message of a pipe. `to` is `up` from the node that has opened it, and `down` towards that node. */
export interface PipeHead {
  /** The number of the pipe among those that its opener has opened. */
  readonly l: number
  readonly to: 'up' | 'down'
  /** Default: a frame, which is the body. */
  readonly is?: 'open' | 'ok' | 'credit' | 'sign' | 'end'
  /** `open`: what it is opened for. `ok` and `end` before it: the answer. */
  readonly what?: unknown
  /** `credit`: how many bytes more may come. */
  readonly bytes?: number
  /** `sign`: the frames that are not messages, and their bytes. */
  readonly passed?: readonly [frames: number, bytes: number]
  /** `end`: why, as a close code and a reason. */
  readonly code?: number
  readonly reason?: string
}

/** A message of another node, about a pipe. */
export interface PipeMessage {
  readonly node: string
  readonly seq: number
  readonly head: unknown
  readonly body: Frame
}

/** Sends the messages of pipes. */
export interface PipePost {
  /**
   * Sends a message of a pipe to a node.
   *
   * @returns false if it was certainly not sent: the engine is down.
   */
  send(node: string, seq: number, head: PipeHead, body?: Frame): boolean
  /** The bytes that wait to leave this node. */
  readonly bufferedBytes: number
}

/** The settings of the pipes of one kind. */
export interface PipeKind {
  /**
   * How many bytes may be under way in each direction before the other end has taken them. Undefined: they wait in the
   * engine only.
   */
  readonly credit: number | undefined
}

/** The end of a pipe whose frames were lost on the way. */
export const GAP: CloseInfo = { code: 1006, reason: 'A message between two nodes was lost' }

/** How soon the other end gets credit for what was taken, in ms, if it is little. */
const CREDIT_MS = 50
/** How often the other end is told of frames that carry no whole message, in ms. */
const SIGN_MS = 200

/**
 * One connection between two nodes, over messages of the engine. The messages are numbered. If one is lost, the pipe ends
 * like a lost connection.
 */
export class Pipe implements BuiltInTransport {
  /** Messages may be lost, and one that is asked for shows it. */
  readonly reliable = false
  readonly node: string
  readonly number: number
  readonly isOpener: boolean
  readonly #kind: PipeKind
  readonly #post: PipePost
  readonly #gone: (pipe: Pipe) => void
  /** That of each frame. */
  readonly #head: PipeHead
  #events: BuiltInEvents | undefined
  #early: Frame[] = []
  #answered: ((answer: Answer) => void) | undefined
  #sent = 0
  #heard = 0
  #end: CloseInfo | undefined
  /** The bytes that the other end has not taken yet. */
  #underWay = 0
  #isDrainWatched = false
  #hasMoved = false
  /** The bytes that were taken here, and that the other end has got no credit for yet. */
  #taken = 0
  #isPaused = false
  #creditTimer: ReturnType<typeof setTimeout> | undefined
  #passed: [frames: number, bytes: number] | undefined
  #signTimer: ReturnType<typeof setTimeout> | undefined

  /** @param gone called when it has ended, before its own event. */
  constructor(
    { node, number, isOpener }: Pick<Pipe, 'node' | 'number' | 'isOpener'>,
    kind: PipeKind,
    post: PipePost,
    gone: (pipe: Pipe) => void,
  ) {
    this.node = node
    this.number = number
    this.isOpener = isOpener
    this.#kind = kind
    this.#post = post
    this.#gone = gone
    this.#head = { l: number, to: isOpener ? 'up' : 'down' }
  }

  get [BUILT_IN](): this {
    return this
  }

  // ── Opening ───────────────────────────────────────────────────────────────────────────────────

  /**
   * Asks the other node to accept it.
   *
   * @returns its answer; undefined if there was none in `ms` ms, or the engine is down. Then the pipe has ended.
   */
  open(what: unknown, ms: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end(SILENT), ms)
      this.#answered = (answer) => {
        clearTimeout(timer)
        this.#answered = undefined
        resolve(answer === UNANSWERED ? undefined : answer)
      }
      if (!this.#say({ is: 'open', what })) this.end(SILENT)
    })
  }

  accept(what?: unknown): void {
    this.#say({ is: 'ok', what })
  }

  /** Ends it, and tells the other node why. */
  refuse(what: unknown): void {
    this.#say({ is: 'end', what })
    this.end(REFUSED)
  }

  // ── As a transport ────────────────────────────────────────────────────────────────────────────

  get isOpen(): boolean {
    return this.#end === undefined
  }

  get bufferedBytes(): number {
    return this.#kind.credit === undefined ? this.#post.bufferedBytes : this.#underWay
  }

  get unsentBytes(): number {
    return this.bufferedBytes
  }

  start(events: BuiltInEvents): void {
    this.#events = events
    for (const frame of this.#early.splice(0)) this.#deliver(frame)
    const end = this.#end
    if (end) queueMicrotask(() => events.close(end))
  }

  send(frame: Frame): boolean {
    if (this.#end || !this.#send(this.#head, frame)) return false
    if (this.#kind.credit !== undefined) this.#underWay += Buffer.byteLength(frame)
    return true
  }

  close(code = 1000, reason = ''): void {
    if (this.#end) return
    this.#say({ is: 'end', code, reason })
    this.end({ code, reason })
  }

  terminate(): void {
    this.close(1006, 'The connection was cut')
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (!isPaused) this.#giveCredit()
  }

  watchDrain(): boolean {
    this.#isDrainWatched = this.#underWay > 0
    return this.#isDrainWatched
  }

  hasMoved(): boolean {
    const { credit } = this.#kind
    if (credit === undefined) return false
    const hasMoved = this.#hasMoved
    this.#hasMoved = false
    return hasMoved
  }

  /** Tells the other end that the client is alive: frames arrive from it that are not (yet) a message. */
  sign(frames = 0, bytes = 0): void {
    // A socket still tells of frames while it is being closed.
    if (this.#end) return
    this.#passed ??= [0, 0]
    this.#passed[0] += frames
    this.#passed[1] += bytes
    this.#signTimer ??= setTimeout(() => {
      this.#signTimer = undefined
      const passed = this.#passed
      this.#passed = undefined
      this.#say({ is: 'sign', passed: passed ?? [0, 0] })
    }, SIGN_MS)
  }

  // ── Messages of the other end ─────────────────────────────────────────────────────────────────

  hear(seq: number, { is, what, bytes, passed, code, reason }: PipeHead, body: Frame): void {
    if (this.#end) return
    this.#heard = (this.#heard + 1) >>> 0
    if (seq !== this.#heard) return this.#gap()
    this.#hasMoved = true
    switch (is) {
      case undefined:
        return this.#events ? this.#deliver(body) : void this.#early.push(body)
      case 'ok':
        return this.#answered?.({ isAccepted: true, what })
      case 'credit':
        return this.#credited(bytes ?? 0)
      case 'sign': {
        const [frames, size] = passed ?? [0, 0]
        if (frames > 0) this.#events?.otherFrames?.(frames, size)
        else this.#events?.arriving?.()
        return
      }
      case 'end':
        this.#answered?.({ isAccepted: false, what })
        return this.end({ code: code ?? 1006, reason: reason ?? '' })
      default:
    }
  }

  /** It has ended for this node. The other one is not told. */
  end(info: CloseInfo): void {
    if (this.#end) return
    this.#end = info
    clearTimeout(this.#creditTimer)
    clearTimeout(this.#signTimer)
    this.#gone(this)
    this.#answered?.(UNANSWERED)
    // As with a socket, the end is reported after the call that caused it has returned.
    const events = this.#events
    if (events) queueMicrotask(() => events.close(info))
  }

  #gap(): void {
    this.#say({ is: 'end', ...GAP })
    this.end(GAP)
  }

  #deliver(frame: Frame): void {
    this.#events?.frame(frame)
    if (this.#kind.credit === undefined || this.#end) return
    this.#taken += Buffer.byteLength(frame)
    if (this.#taken >= this.#kind.credit / 4) this.#giveCredit()
    else this.#creditTimer ??= setTimeout(() => this.#giveCredit(), CREDIT_MS)
  }

  #giveCredit(): void {
    clearTimeout(this.#creditTimer)
    this.#creditTimer = undefined
    if (this.#isPaused || this.#taken === 0 || this.#end) return
    const bytes = this.#taken
    this.#taken = 0
    this.#say({ is: 'credit', bytes })
  }

  #credited(bytes: number): void {
    this.#underWay = Math.max(0, this.#underWay - bytes)
    if (!this.#isDrainWatched || this.#underWay > 0) return
    this.#isDrainWatched = false
    this.#events?.drained?.()
  }

  #say(more: Omit<PipeHead, 'l' | 'to'>): boolean {
    return this.#send({ ...this.#head, ...more })
  }

  #send(head: PipeHead, body?: Frame): boolean {
    const seq = (this.#sent + 1) >>> 0
    if (!this.#post.send(this.node, seq, head, body)) return false
    this.#sent = seq
    return true
  }
}

/** The answer of the other node to `open`. */
export interface Answer {
  readonly isAccepted: boolean
  readonly what: unknown
}

const UNANSWERED: Answer = { isAccepted: false, what: undefined }
const SILENT: CloseInfo = { code: 1006, reason: 'The other node did not answer' }
const REFUSED: CloseInfo = { code: 1006, reason: 'The other node has refused it' }
