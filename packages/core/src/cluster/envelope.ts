import { type Frame, readText, utf8 } from '../wire/codec.js'

/** The kinds of messages between nodes (docs/protocol.md, "Between nodes"). */
export const Kind = {
  hello: 1,
  beat: 2,
  delta: 3,
  leave: 4,
  askSnapshot: 5,
  snapshot: 6,
  buried: 7,
  notify: 16,
  call: 17,
  roll: 18,
  members: 19,
  watch: 20,
  diff: 21,
  link: 32,
  lane: 33,
} as const

export type Kind = (typeof Kind)[keyof typeof Kind]

/** The versions of the envelope that this code reads and writes. */
export const VERSIONS: Versions = [1, 1]

/** The lowest and the highest version of the envelope that a node understands. */
export type Versions = readonly [min: number, max: number]

/** A message between nodes. */
export interface Envelope {
  readonly version: number
  readonly kind: number
  /** The node that it is from: 16 hexadecimal digits. */
  readonly node: string
  /** The epoch of that node when it sent the message. */
  readonly epoch: number
  /** 0: no message has a number of its own in this version. */
  readonly seq: number
  /** Describes the body. Unchecked: it may be any value of JSON. */
  readonly head: unknown
  /** Text, or bytes that belong to the receiver. Empty bytes if there is no body. */
  readonly body: Frame
}

const HEADER = 23
const TEXT = 1
const CHUNK = 2
const NO_BODY = new Uint8Array()

/** The size of the head of an envelope whose JSON is `{}`, in bytes. */
export const HEAD_BYTES = HEADER + 2

/**
 * `u8 version | u8 kind | 8 bytes node | u32 epoch | u8 flags | u32 seq | u32 length of the JSON | JSON | body`,
 * big-endian. The layout up to the JSON is the same in all versions, and so is all of `hello` and `beat`.
 */
export function writeEnvelope({ head, body, ...header }: Envelope): Uint8Array {
  const json = utf8(JSON.stringify(head))
  const isText = typeof body === 'string'
  const bytes = isText ? utf8(body) : body
  const out = new Uint8Array(HEADER + json.byteLength + bytes.byteLength)
  writeHeader(out, header, isText ? TEXT : 0, json.byteLength)
  out.set(json, HEADER)
  out.set(bytes, HEADER + json.byteLength)
  return out
}

/** Writes the head of an envelope whose JSON is `{}` and whose body, of bytes, begins at {@link HEAD_BYTES} already. */
export function writeHead(out: Uint8Array, header: Omit<Envelope, 'head' | 'body'>): void {
  writeHeader(out, header, 0, HEAD_BYTES - HEADER)
  out[HEADER] = 0x7b
  out[HEADER + 1] = 0x7d
}

function writeHeader(
  out: Uint8Array,
  { version, kind, node, epoch, seq }: Omit<Envelope, 'head' | 'body'>,
  flags: number,
  jsonBytes: number,
): void {
  const header = Buffer.from(out.buffer, out.byteOffset, HEADER)
  header[0] = version
  header[1] = kind
  header.write(node, 2, 8, 'hex')
  header.writeUInt32BE(epoch, 10)
  header[14] = flags
  header.writeUInt32BE(seq, 15)
  header.writeUInt32BE(jsonBytes, 19)
}

/** The part of a message that was too large for one payload. */
export interface Chunk {
  /** The number of the whole message among those that its node has cut. */
  readonly id: number
  /** The number of the part, from 0. */
  readonly i: number
  /** How many parts there are. */
  readonly of: number
}

/** @returns the envelope of a payload, or a part of one; undefined if it is neither. */
export function readEnvelope(
  payload: Uint8Array,
): { readonly envelope: Envelope; readonly chunk?: Chunk } | undefined {
  if (payload.byteLength < HEADER) return undefined
  const header = Buffer.from(payload.buffer, payload.byteOffset, HEADER)
  const flags = header[14] as number
  const length = header.readUInt32BE(19)
  if (HEADER + length > payload.byteLength) return undefined
  try {
    const head: unknown = JSON.parse(readText(payload.subarray(HEADER, HEADER + length)))
    const bytes = payload.subarray(HEADER + length)
    const isChunk = (flags & CHUNK) !== 0
    const body =
      bytes.byteLength === 0 && (flags & TEXT) === 0
        ? NO_BODY
        : (flags & TEXT) !== 0 && !isChunk
          ? readText(bytes)
          : bytes
    const envelope = {
      version: header[0] as number,
      kind: header[1] as number,
      node: header.toString('hex', 2, 10),
      epoch: header.readUInt32BE(10),
      seq: header.readUInt32BE(15),
      head,
      body,
    }
    if (!isChunk) return { envelope }
    return isChunkHead(head) ? { envelope, chunk: head } : undefined
  } catch {
    // It is not JSON, or not UTF-8.
    return undefined
  }
}

function isChunkHead(head: unknown): head is Chunk {
  const { id, i, of } = (head ?? {}) as Partial<Record<keyof Chunk, unknown>>
  return isCount(id) && isCount(i) && isCount(of) && (i as number) < (of as number)
}

/** Whether a value of another node is a number from 0 to 2³² − 1. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff
}

/**
 * Cuts a payload into parts that fit: each is an envelope of its own, whose body is a part of what follows the header.
 *
 * @param id the number of the message among those that this node has cut.
 * @param most the largest part, in bytes, with its header.
 */
export function cut(payload: Uint8Array, id: number, most: number): Uint8Array[] {
  const room = most - HEADER - 64
  const rest = payload.subarray(15)
  const of = Math.ceil(rest.byteLength / room)
  return Array.from({ length: of }, (_, i) => {
    const json = utf8(JSON.stringify({ id, i, of } satisfies Chunk))
    const part = rest.subarray(i * room, (i + 1) * room)
    const out = new Uint8Array(HEADER + json.byteLength + part.byteLength)
    out.set(payload.subarray(0, HEADER))
    out[14] = (payload[14] as number) | CHUNK
    new DataView(out.buffer).setUint32(19, json.byteLength)
    out.set(json, HEADER)
    out.set(part, HEADER + json.byteLength)
    return out
  })
}

/** Joins the bodies of all parts of a message. @param first the payload of any of its parts. */
export function join(first: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((all, { byteLength }) => all + byteLength, 15)
  const out = new Uint8Array(length)
  out.set(first.subarray(0, 15))
  out[14] = (first[14] as number) & ~CHUNK
  let at = 15
  for (const part of parts) {
    out.set(part, at)
    at += part.byteLength
  }
  return out
}
