import { SHALLOW_LEVELS, toJsonWithBytes } from './bytes.js'
import { type Codec, exceeds, type Frame, jsonCodec, readText, utf8 } from './codec.js'
import { disown } from './disown.js'
import type { Format } from './format.js'
import { nestsDeeper } from './json-depth.js'
import { type Lent, lentCopy } from './lent-memory.js'

/** A message as it goes out: a frame; and what bytes there are in it, in frames of their own. */
export type Encoded = Frame | Parts

/** A message with bytes, or one that nests deep. */
interface Parts {
  readonly frame: Frame
  /** The caller's, who may change them once it is out of its hands; or copies: see {@link keep}. */
  bytes: readonly Uint8Array[]
  /** The way to the first of the bytes, from the message on. */
  readonly path: readonly string[]
  /** How many levels it nests. */
  readonly depth: number
}

const NONE: readonly never[] = []

/** @throws whatever says that the message can't be carried. */
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

/** Whether a codec has left out the result, which may happen if its `toJSON` gives `undefined`. */
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
 * Makes one array of the answers to a batch, which have no bytes. @throws the error of an answer that can't be
 * carried.
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

/** The bytes of a message, which follow its frame. */
export function bytesOf(encoded: Encoded): readonly Uint8Array[] {
  return isParts(encoded) ? encoded.bytes : NONE
}

/** The way to the first of the bytes, from the message on; empty where there are none. */
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

/** Who keeps copies of a message's bytes, and where these are. */
interface Kept {
  readonly keepers: Set<object>
  readonly copies: readonly Lent[]
}

/** By the copies. */
const kept = new WeakMap<readonly Uint8Array[], Kept>()

/**
 * Whoever has a message go out later, or again, keeps copies of its bytes, until it lets go of them.
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

/** Whoever kept a message will not have it go out any more. Who never says so, keeps it for good. */
export function letGo(encoded: Encoded, keeper: object): void {
  if (!hasBytes(encoded)) return
  const known = kept.get(encoded.bytes)
  if (!known?.keepers.delete(keeper) || known.keepers.size > 0) return
  for (const { giveBack } of known.copies) giveBack?.()
  // Were it to go out all the same, it would be with nothing, and not with what is another's.
  encoded.bytes = known.copies.map(() => NOTHING)
}

const NOTHING = new Uint8Array()

/** What a message takes while it is held, in bytes; text is counted by its length. */
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
