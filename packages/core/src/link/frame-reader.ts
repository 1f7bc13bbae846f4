import { describeThrown, RpcConfigError } from '../errors/errors.js'
import { plain } from '../errors/quoted.js'
import type { AttachmentReader } from '../wire/attachments.js'
import { type Codec, exceeds, type Frame, jsonCodec, readText } from '../wire/codec.js'
import { disown } from '../wire/disown.js'
import type { Format } from '../wire/format.js'
import { isDeeper, nestsDeeper, opensMore, pruned } from '../wire/json-depth.js'
import { type Reading, violation, type Whole } from '../wire/reading.js'
import { readHelloFrame, readJson } from './hello.js'
import type { ChannelLimits } from './limits.js'

const TOO_DEEP: Reading = { kind: 'too-deep' }
/** JSON up to this length, in characters, is parsed before its nesting is checked, if `MOST_LEVELS` allows it. */
const SMALL = 64 * 1024
/** The most levels of JSON that may be walked by recursion. */
const MOST_LEVELS = 1_000

/** Turns incoming frames into messages. */
export class FrameReader {
  /** Whether both sides have sent their hello: from then on all messages are in the codec. */
  isAgreed = false
  /** Joins messages with the frames that follow them; undefined if each message is one frame. */
  readonly attachments: AttachmentReader | undefined
  readonly #codec: Codec
  readonly #limits: Pick<ChannelLimits, 'message' | 'depth'>

  constructor({ codec, attachments }: Format, limits: Pick<ChannelLimits, 'message' | 'depth'>) {
    this.attachments = attachments?.reader()
    this.#codec = codec
    this.#limits = limits
  }

  read(frame: Frame): Reading {
    const { message, depth } = this.#limits
    // A UTF-16 code unit is three bytes of UTF-8 at the most.
    if (frame.length * 3 > message && exceeds(frame, message)) return { kind: 'too-big' }
    const { attachments } = this
    if (attachments && (attachments.isWaiting || typeof frame !== 'string')) {
      const reading = attachments.take(frame)
      if (reading) return reading
    }
    let decoded: unknown
    let tooDeep: ReadonlySet<unknown> | undefined
    let text = frame
    const isJson = this.#codec === jsonCodec
    try {
      if (isJson && typeof frame !== 'string') text = readText(frame)
      // A short text makes a small value. A codec of the application may walk it to any depth, so this holds for JSON
      // only.
      const isSmall = text.length <= SMALL && depth <= MOST_LEVELS && isJson
      if (!isSmall && this.#isTooDeep(text)) return this.#readDeep(text, frame)
      decoded = isJson ? JSON.parse(text as string) : this.#decode(text)
      // Each level takes two characters.
      if (isSmall && text.length >= 2 * depth) tooDeep = tooDeepOf(decoded, text as string, depth)
    } catch (thrown) {
      return this.#isTooDeep(text) ? this.#readDeep(text, frame) : this.#unreadable(frame, thrown)
    }
    const whole: Whole = { kind: 'message', decoded, tooDeep }
    return attachments && mayAnnounce(decoded) ? attachments.begin(whole, frame, message) : whole
  }

  #isTooDeep(frame: Frame): frame is string {
    return typeof frame === 'string' && nestsDeeper(frame, this.#limits.depth)
  }

  /** Reads the parts of a text that nests too deep: its ids, what it announces, the messages beside it. */
  #readDeep(text: string, frame: Frame): Reading {
    if (this.#codec !== jsonCodec) return TOO_DEEP
    const { text: left, places } = pruned(text, this.#limits.depth)
    const decoded = readJson(left)
    if (decoded === undefined) return TOO_DEEP
    const tooDeep = new Set(messagesIn(decoded).filter((_, place) => places.has(place)))
    const whole: Whole = { kind: 'message', decoded, tooDeep }
    return this.attachments?.begin(whole, frame, this.#limits.message) ?? whole
  }

  /** Decodes a frame by a codec other than JSON. */
  #decode(frame: Frame): unknown {
    if (typeof frame === 'string' && !this.isAgreed) {
      const hello = readHelloFrame(frame)
      if (hello !== undefined) return hello
    }
    const message = this.#codec.decode(frame)
    if (!(message instanceof Promise)) return message
    disown(message)
    throw new TypeError(
      `decode of the codec "${this.#codec.name}" returned a promise. It must return the message`,
    )
  }

  #unreadable(frame: Frame, cause: unknown): Reading {
    // If the application's own codec throws it, it is treated as any other error.
    if (this.#codec === jsonCodec && cause instanceof RpcConfigError) {
      return { kind: 'unable', cause }
    }
    if (this.attachments?.isAgreed && typeof frame !== 'string') {
      // It was attached to a message that was missed.
      return violation(`a frame is not ${this.#codec.name}: ${plain(describeThrown(cause))}`)
    }
    // If the codec itself is JSON, an unreadable frame is not JSON.
    const isJson = typeof frame === 'string' && !this.isAgreed && readJson(frame) !== undefined
    return isJson ? { kind: 'other-codec' } : { kind: 'unreadable', cause }
  }
}

/** Whether a message may announce frames that follow it: in the protocol's own member, which few messages have. */
function mayAnnounce(decoded: unknown): boolean {
  if (Array.isArray(decoded)) return decoded.some(mayAnnounce)
  return typeof decoded === 'object' && decoded !== null && 'rpc' in decoded
}

/** @returns the messages of a text that nest too deep; `undefined` if there are none. */
function tooDeepOf(
  decoded: unknown,
  text: string,
  depth: number,
): ReadonlySet<unknown> | undefined {
  const messages = messagesIn(decoded)
  // Most messages that share a frame are small, and have few brackets.
  if (messages === decoded && !opensMore(text, depth)) return undefined
  const found = messages.filter((message) => isDeeper(message, depth))
  return found.length > 0 ? new Set(found) : undefined
}

function messagesIn(decoded: unknown): readonly unknown[] {
  return Array.isArray(decoded) ? decoded : [decoded]
}
