import { SHALLOW_LEVELS, toJsonWithBytes } from './bytes.js'
import { type Codec, exceeds, type Frame, jsonCodec, readText, utf8 } from './codec.js'
import { disown } from './disown.js'
import type { Format } from './format.js'
import { nestsDeeper } from './json-depth.js'
import { type Lent, lentCopy } from './lent-memory.js'

/** A message as it is sent: a frame and, if the message has bytes, the frames of these. */
export type Encoded = Frame | Parts

/** A message with bytes, or one that nests deep. */
interface Parts {
  readonly frame: Frame
  /** The caller's own bytes, which may change after the message was sent; or copies: see {@link keep}. */
  bytes: readonly Uint8Array[]
  /** The path to the first of the bytes, from the message on. */
  readonly path: readonly string[]
  /** How many levels it nests. */
  readonly depth: number
}

const NONE: readonly never[] = []

/** @throws the error of the codec if the message can't be carried. */
export function encode(format: Format, message: object): Encoded {
  const { codec, frameType } = format
  if (codec === jsonCodec) {
    const encoded = toJsonWithBytes(message)
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
  throw new TypeError(`the codec "${codec.name}" made neither text nor a Uint8Array of it`)
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
 * Makes one array of the answers to a batch, which have no bytes.
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

/** @returns the bytes of a message, which follow its frame. */
export function bytesOf(encoded: Encoded): readonly Uint8Array[] {
  return isParts(encoded) ? encoded.bytes : NONE
}

/** @returns the path to the first of the bytes, from the message on; empty if there are none. */
export function pathOf(encoded: Encoded): readonly string[] {
  return isParts(encoded) ? encoded.path : NONE
}

function isParts(encoded: Encoded): encoded is Parts {
  return typeof encoded !== 'string' && !(encoded instanceof Uint8Array)
}

export function hasBytes(encoded: Encoded): encoded is Parts {
  return isParts(encoded) && encoded.bytes.length > 0
}

/**
 * Whether a message nests more levels than the other side accepts. A reader looks at text only, so binary codecs are
 * not checked.
 */
export function isDeep({ codec }: Format, encoded: Encoded, most: number): boolean {
  if (most === Number.POSITIVE_INFINITY) return false
  const isJson = codec === jsonCodec
  // The depth of JSON was measured when the message was made.
  if (isJson && most >= SHALLOW_LEVELS) return isParts(encoded) && encoded.depth > most
  const frame = frameOf(encoded)
  if (isJson) return nestsDeeper(readText(frame), most)
  return typeof frame === 'string' && nestsDeeper(frame, most)
}

/** The keepers of a message's bytes, and the copies. */
interface Kept {
  readonly keepers: Set<object>
  readonly copies: readonly Lent[]
}

/** By the copies. */
const kept = new WeakMap<readonly Uint8Array[], Kept>()

/**
 * Keeps copies of a message's bytes for a message that is sent later, or again. {@link letGo} releases them.
 *
 * @returns the same message.
 */
export function keep(encoded: Encoded, keeper: object): Encoded {
  if (!hasBytes(encoded)) return encoded
  let known = kept.get(encoded.bytes)
  if (!known) {
    const copies = encoded.bytes.map(lentCopy)
    known = { keepers: new Set(), copies }
    encoded.bytes = copies.map(({ bytes }) => bytes)
    kept.set(encoded.bytes, known)
  }
  known.keepers.add(keeper)
  return encoded
}

/** Releases a message that `keep` kept: it will not be sent any more. Without this call, it is kept for good. */
export function letGo(encoded: Encoded, keeper: object): void {
  if (!hasBytes(encoded)) return
  const known = kept.get(encoded.bytes)
  if (!known?.keepers.delete(keeper) || known.keepers.size > 0) return
  for (const { giveBack } of known.copies) giveBack?.()
  // If it were sent all the same, it would have no bytes, and not those of another message.
  encoded.bytes = known.copies.map(() => NOTHING)
}

const NOTHING = new Uint8Array()

/** @returns the memory that a held message takes, in bytes; text is counted by its length. */
export function heldBytes(encoded: Encoded): number {
  return frameOf(encoded).length + sizeOfBytes(encoded)
}

/** Whether a message is over a limit in bytes. */
export function isOver(encoded: Encoded, limit: number): boolean {
  return exceeds(frameOf(encoded), limit - sizeOfBytes(encoded))
}

function sizeOfBytes(encoded: Encoded): number {
  let all = 0
  for (const { byteLength } of bytesOf(encoded)) all += byteLength
  return all
}
