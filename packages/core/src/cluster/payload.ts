import { quoted } from '../errors/quoted.js'
import type { Frame } from '../wire/codec.js'
import { readText } from '../wire/codec.js'
import { attachedTo, encode, frameOf } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import { isSize } from './checks.js'

/** How the body of a message between nodes was written. */
export interface PayloadHead {
  /** The name of the codec. */
  readonly codec: string
  /** The sizes of the frame and of what is attached to it, in bytes; missing if nothing is attached. */
  readonly parts?: readonly number[]
}

/**
 * Writes a message of JSON-RPC 2.0 as the body of a message between nodes: its frame, and what is attached to it.
 *
 * @throws the codec's error if it can't carry the message.
 */
export function writePayload(
  format: Format,
  message: object,
): { readonly f: PayloadHead; readonly body: Frame } {
  const { codec } = format
  const encoded = encode({ ...format, frameType: 'text' }, message)
  const frame = frameOf(encoded)
  const attached = attachedTo(encoded)
  if (!attached) return { f: { codec: codec.name }, body: frame }
  const all = [typeof frame === 'string' ? Buffer.from(frame) : frame, ...attached.frames]
  return {
    f: { codec: codec.name, parts: all.map(({ byteLength }) => byteLength) },
    body: Buffer.concat(all),
  }
}

/** @throws an error if it can't be read in this format. */
export function readPayload(format: Format, { parts }: PayloadHead, body: Frame): unknown {
  const { codec, attachments } = format
  if (!parts) return codec.decode(body)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  let at = 0
  const all = parts.map((size) => {
    at += size
    return bytes.subarray(at - size, at)
  })
  const [frame, ...frames] = all as [Uint8Array, ...Uint8Array[]]
  if (at !== bytes.byteLength)
    throw new TypeError('the sizes of its parts are not those that it states')
  const decoded = codec.decode(readText(frame))
  attachments?.restore(decoded, frames)
  return decoded
}

/** Whether a value of another node says how a body was written. */
export function isPayloadHead(value: unknown): value is PayloadHead {
  const { codec, parts } = (value ?? {}) as Partial<Record<keyof PayloadHead, unknown>>
  if (typeof codec !== 'string') return false
  return parts === undefined || (Array.isArray(parts) && parts.length > 0 && parts.every(isSize))
}

/** Why a node can't read what another one has written. */
export function differentCodecs(theirs: string, ours: string): string {
  return `The nodes of the cluster have different codecs: ${quoted(theirs)} and ${quoted(ours)}`
}
