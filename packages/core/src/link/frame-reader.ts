import { describeThrown, RpcConfigError } from '../errors/errors.js'
import { plain } from '../errors/quoted.js'
import { type AwaitedBytes, awaitedBytes } from '../wire/bytes.js'
import {
  type Codec,
  exceeds,
  type Frame,
  type FrameType,
  jsonCodec,
  readText,
} from '../wire/codec.js'
import { disown } from '../wire/disown.js'
import { isDeeper, mayNestDeeper, nestsDeeper, pruned } from '../wire/json-depth.js'
import { readHelloFrame, readJson } from './hello.js'
import type { ChannelLimits } from './limits.js'

/** The result of reading a frame. */
export type Reading =
  /** One or more whole messages, or the last part of these. */
  | Whole
  /** A part of a message; the rest is on its way. */
  | { kind: 'part' }
  | { kind: 'too-big' }
  /** Text that nests too deep and that can't be read otherwise. */
  | { kind: 'too-deep' }
  | { kind: 'unreadable'; cause: unknown }
  /** The platform lacks a global that is needed to read such frames. */
  | { kind: 'unable'; cause: RpcConfigError }
  /** JSON, although another codec is used. */
  | { kind: 'other-codec' }
  | { kind: 'violation'; what: string }

/** A message, or an array of them. */
interface Whole {
  kind: 'message'
  decoded: unknown
  /** The messages of it that nest too deep, if any. In these, the values that are too deep may be missing. */
  tooDeep: ReadonlySet<unknown> | undefined
}

const PART: Reading = { kind: 'part' }
const TOO_DEEP: Reading = { kind: 'too-deep' }
/** JSON up to this length, in characters, is parsed before its nesting is checked, if `MOST_LEVELS` allows it. */
const LITTLE = 64 * 1024
/** The most levels of JSON that may be walked by recursion. */
const MOST_LEVELS = 1_000

/**
 * Turns incoming frames into messages: it decodes them, and joins a message with the bytes that it announced. It holds
 * one message at the most, and none that is larger than the limit.
 */
export class FrameReader {
  /** Whether both sides have sent their hello: from then on all messages are in the codec. */
  isAgreed = false
  /** The frame type of the other side, if both sides accept bytes in frames of their own. */
  peerFrames: FrameType | undefined
  readonly #codec: Codec
  readonly #limits: Pick<ChannelLimits, 'message' | 'depth'>
  /** A message that has come without all of its bytes, and the bytes that are awaited. */
  #incomplete: { whole: Whole; awaited: AwaitedBytes } | undefined

  constructor(codec: Codec, limits: Pick<ChannelLimits, 'message' | 'depth'>) {
    this.#codec = codec
    this.#limits = limits
  }

  read(frame: Frame): Reading {
    if (exceeds(frame, this.#limits.message)) return { kind: 'too-big' }
    if (this.#incomplete) return this.#readBytes(this.#incomplete, frame)
    if (typeof frame !== 'string' && this.peerFrames === 'text') {
      return violation('bytes came that no message announced')
    }
    let decoded: unknown
    let tooDeep: ReadonlySet<unknown> | undefined
    let text = frame
    try {
      if (this.#codec === jsonCodec) text = readText(frame)
      const { depth } = this.#limits
      // A short text makes a small value. A codec of the application may walk it to any depth, so this holds for JSON
      // only.
      const isLittle = text.length <= LITTLE && depth <= MOST_LEVELS && this.#codec === jsonCodec
      if (!isLittle && this.#isTooDeep(text)) return this.#readDeep(text, frame)
      decoded = this.#decode(text)
      if (isLittle && mayNestDeeper(text.length, depth)) tooDeep = tooDeepOf(decoded, depth)
    } catch (thrown) {
      return this.#isTooDeep(text) ? this.#readDeep(text, frame) : this.#unreadable(frame, thrown)
    }
    const whole: Whole = { kind: 'message', decoded, tooDeep }
    return this.#codec === jsonCodec ? this.#readAnnouncement(whole, frame) : whole
  }

  /** Drops a message that will never be complete. */
  discard(): void {
    this.#incomplete = undefined
  }

  #isTooDeep(frame: Frame): frame is string {
    return typeof frame === 'string' && nestsDeeper(frame, this.#limits.depth)
  }

  /** Reads the parts of a text that nests too deep: its ids, the bytes that it announces, the messages beside it. */
  #readDeep(text: string, frame: Frame): Reading {
    if (this.#codec !== jsonCodec) return TOO_DEEP
    const { text: left, places } = pruned(text, this.#limits.depth)
    const decoded = readJson(left)
    if (decoded === undefined) return TOO_DEEP
    const all: unknown[] = Array.isArray(decoded) ? decoded : [decoded]
    const tooDeep = new Set(all.filter((_, place) => places.has(place)))
    return this.#readAnnouncement({ kind: 'message', decoded, tooDeep }, frame)
  }

  #readAnnouncement(whole: Whole, frame: Frame): Reading {
    let awaited: AwaitedBytes | undefined
    try {
      awaited = awaitedBytes(whole.decoded, whole.tooDeep)
    } catch (thrown) {
      return violation(`a message can't be read: ${describeThrown(thrown)}`)
    }
    if (!awaited) return whole
    if (!this.peerFrames) {
      return violation('a message announces bytes, which both sides must have agreed on before')
    }
    if (exceeds(frame, this.#limits.message - awaited.size)) return { kind: 'too-big' }
    this.#incomplete = { whole, awaited }
    return PART
  }

  #readBytes({ whole, awaited }: { whole: Whole; awaited: AwaitedBytes }, frame: Frame): Reading {
    if (typeof frame === 'string') {
      return violation('text came where a message had announced bytes')
    }
    try {
      if (!awaited.take(frame)) return PART
    } catch (thrown) {
      return violation(describeThrown(thrown))
    }
    this.#incomplete = undefined
    return whole
  }

  #decode(frame: Frame): unknown {
    if (typeof frame === 'string' && this.#codec !== jsonCodec && !this.isAgreed) {
      const hello = readHelloFrame(frame)
      if (hello !== undefined) return hello
    }
    const message = this.#codec.decode(frame)
    if (!(message instanceof Promise)) return message
    disown(message)
    throw new TypeError(
      `the codec "${this.#codec.name}" made a promise of it, and is to read at once`,
    )
  }

  #unreadable(frame: Frame, cause: unknown): Reading {
    // If the application's own codec throws it, it is treated as any other error.
    if (this.#codec === jsonCodec && cause instanceof RpcConfigError) {
      return { kind: 'unable', cause }
    }
    if (this.peerFrames && typeof frame !== 'string') {
      // If both sides have agreed on the codec, an unreadable frame holds the bytes of a message that was missed.
      return violation(`a frame is not ${this.#codec.name}: ${plain(describeThrown(cause))}`)
    }
    // If the codec itself is JSON, an unreadable frame is not JSON.
    const isJson = typeof frame === 'string' && !this.isAgreed && readJson(frame) !== undefined
    return isJson ? { kind: 'other-codec' } : { kind: 'unreadable', cause }
  }
}

/** @returns the messages that nest too deep; `undefined` if there are none. */
function tooDeepOf(decoded: unknown, depth: number): ReadonlySet<unknown> | undefined {
  if (!Array.isArray(decoded)) return isDeeper(decoded, depth) ? new Set([decoded]) : undefined
  const found = decoded.filter((message) => isDeeper(message, depth))
  return found.length > 0 ? new Set(found) : undefined
}

function violation(what: string): Reading {
  return { kind: 'violation', what }
}
