import type { Attached, NotTaken } from './attachments.js'
import { type Codec, exceeds, type Frame, jsonCodec, readText, utf8 } from './codec.js'
import { disown } from './disown.js'
import type { Format } from './format.js'
import { nestsDeeper } from './json-depth.js'
import { SHALLOW_LEVELS, toJson } from './json-message.js'

/** A message as it is sent: a frame, and the frames that follow it, if there are any. */
export type Encoded = Frame | Parts

/** A message whose frame is followed by others, or one that nests deep. */
interface Parts {
  readonly frame: Frame
  /** How many levels it nests. */
  readonly depth: number
  readonly attached: Attached | undefined
}

/** What the other side accepts. */
export interface Accepts {
  /** Whether it understands more than JSON-RPC 2.0. */
  readonly isExtended: boolean
  /** The largest message that it accepts, in bytes, with all frames that follow it. */
  readonly message: number
  /** The most levels that a message may nest. */
  readonly depth: number
  /** Whether it accepts frames that follow the frame of a message. */
  readonly attachments: boolean
}

/** A reason why a message can't be sent to the other side. */
export type Unsendable = 'too-big' | 'too-deep' | NotTaken

/** @throws the error of the codec if the message can't be carried. */
export function encode(format: Format, message: object): Encoded {
  const { codec, frameType } = format
  if (codec === jsonCodec) {
    const encoded = toJson(message, format.attachments)
    if (frameType === 'text') return encoded
    return typeof encoded === 'string' ? utf8(encoded) : { ...encoded, frame: utf8(encoded.frame) }
  }
  const frame = encodeAs(format, message)
  return lacksResult(codec, message, frame) ? encodeAs(format, { ...message, result: null }) : frame
}

function encodeAs({ codec, frameType }: Format, message: object): Frame {
  const frame: unknown = codec.encode(message)
  if (typeof frame === 'string') return frameType === 'text' ? frame : utf8(frame)
  if (frame instanceof Uint8Array) return frame
  disown(frame)
  throw new TypeError(`encode of the codec "${codec.name}" returned neither text nor a Uint8Array`)
}

/** Whether a codec has left out the result, which may happen if the `toJSON` of the result returns `undefined`. */
function lacksResult(codec: Codec, message: { result?: unknown }, frame: Frame): boolean {
  const { result } = message
  if (typeof result !== 'object' || result === null || !('toJSON' in result)) return false
  try {
    return !Object.hasOwn(codec.decode(frame) as object, 'result')
  } catch {
    // The codec can't read what it wrote: the other side will report that.
    return false
  }
}

/**
 * Makes one array of the answers to a batch, to which nothing is attached.
 *
 * @throws the codec's error if an answer can't be carried.
 */
export function encodeBatch(
  format: Format,
  answers: readonly { readonly answer: object; readonly encoded: Encoded }[],
): Encoded {
  const { codec, frameType } = format
  if (codec !== jsonCodec) {
    return encode(
      format,
      answers.map(({ answer }) => answer),
    )
  }
  // The JSON of each answer is joined as it is: encoded again, it might differ.
  const text = `[${answers.map(({ encoded }) => readText(frameOf(encoded))).join()}]`
  return frameType === 'text' ? text : utf8(text)
}

export function frameOf(encoded: Encoded): Frame {
  return isParts(encoded) ? encoded.frame : encoded
}

/** @returns the frames that follow that of a message; undefined if there are none. */
export function attachedTo(encoded: Encoded): Attached | undefined {
  return isParts(encoded) ? encoded.attached : undefined
}

/** @returns the message with another frame: what is attached to it stays. */
export function reframed(encoded: Encoded, again: Encoded): Encoded {
  return attachedTo(encoded) ? { ...(encoded as Parts), frame: frameOf(again) } : again
}

function isParts(encoded: Encoded): encoded is Parts {
  return typeof encoded !== 'string' && !(encoded instanceof Uint8Array)
}

/**
 * Whether a message nests more levels than the other side accepts. A reader looks at text only, so binary codecs are
 * not checked.
 */
function isDeep({ codec }: Format, encoded: Encoded, most: number): boolean {
  if (most === Number.POSITIVE_INFINITY) return false
  const isJson = codec === jsonCodec
  // The depth of JSON was measured when the message was made.
  if (isJson && most >= SHALLOW_LEVELS) return isParts(encoded) && encoded.depth > most
  const frame = frameOf(encoded)
  if (isJson) return nestsDeeper(readText(frame), most)
  return typeof frame === 'string' && nestsDeeper(frame, most)
}

/**
 * Keeps copies of what is attached to a message that is sent later, or again. {@link release} releases them.
 *
 * @returns the same message.
 */
export function keep(encoded: Encoded, keeper: object): Encoded {
  attachedTo(encoded)?.keep(keeper)
  return encoded
}

/** Releases a message that `keep` kept: it will not be sent any more. Without this call, it is kept for good. */
export function release(encoded: Encoded, keeper: object): void {
  attachedTo(encoded)?.release(keeper)
}

/** @returns the memory that a held message takes, in bytes; text is counted by its length. */
export function heldBytes(encoded: Encoded): number {
  if (!isParts(encoded)) return encoded.length
  return encoded.frame.length + (encoded.attached?.size ?? 0)
}

/** Whether a message is over a limit in bytes. */
function isOver(encoded: Encoded, limit: number): boolean {
  return exceeds(frameOf(encoded), limit - (attachedTo(encoded)?.size ?? 0))
}

/** @returns why the other side can't take a message; `undefined` if it can. */
export function whyUnsendable(
  format: Format,
  encoded: Encoded,
  { isExtended, message, depth, attachments }: Accepts,
): Unsendable | undefined {
  // Most messages are small: such text can't nest too deep, and a UTF-16 code unit is three bytes of UTF-8 at the most.
  const { length } = encoded as string
  if (typeof encoded === 'string' && length < 2 * depth && length * 3 <= message) return undefined
  const attached = attachedTo(encoded)
  if (attached && !attachments) return attached.notTaken(isExtended)
  if (isOver(encoded, message)) return 'too-big'
  return isDeep(format, encoded, depth) ? 'too-deep' : undefined
}
