import fc from 'fast-check'

/** Of those who read them, in bytes. */
export const MAX_PAYLOAD = 300

export interface Frame {
  readonly first: number
  readonly isMasked: boolean
  readonly key: Uint8Array
  readonly payload: Uint8Array
  /** Its length is written in so many bytes, or the fewest. */
  readonly lengthBytes: 0 | 2 | 8
  /** How many times 4 GiB it says it is longer, where its length is in 8 bytes. */
  readonly excess: number
  /** After so many of its bytes another chunk begins. */
  readonly cut: number | undefined
}

function bytesOf({ first, isMasked, key, payload, lengthBytes, excess }: Frame): Buffer {
  const { length } = payload
  const size = length < 126 ? lengthBytes : length < 65_536 ? Math.max(2, lengthBytes) : 8
  const head = Buffer.alloc(2 + size)
  head[0] = first
  head[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127)
  if (size === 2) head.writeUInt16BE(length, 2)
  if (size === 8) head.writeBigUInt64BE((BigInt(excess) << 32n) + BigInt(length), 2)
  if (!isMasked) return Buffer.concat([head, payload])
  const masked = payload.map((byte, n) => byte ^ (key[n & 3] as number))
  return Buffer.concat([head, key, masked])
}

/** What frames come as. */
export function chunksOf(frames: readonly Frame[]): Buffer[] {
  const chunks: Buffer[][] = [[]]
  for (const frame of frames) {
    const bytes = bytesOf(frame)
    const cut = frame.cut ?? bytes.length
    chunks.at(-1)?.push(bytes.subarray(0, cut))
    if (frame.cut !== undefined) chunks.push([])
    chunks.at(-1)?.push(bytes.subarray(cut))
  }
  return chunks.map((parts) => Buffer.concat(parts))
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    'x'.repeat(125),
    'x'.repeat(126),
    'é'.repeat(63),
    'x'.repeat(300),
    'x'.repeat(301),
  ),
  fc.constantFrom('', '\uFFFD', 'x\uFFFD', '\uFEFFx', '😀'),
)
/** What might be taken for frames where it is cut off from its header. */
const frameLike = fc.constantFrom(
  Uint8Array.of(0x81, 0x01, 0x78, 0x78),
  Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x78, 0x78),
)
const payload = fc.oneof(
  { weight: 1, arbitrary: frameLike },
  { weight: 1, arbitrary: fc.constant(Uint8Array.of(0x78)) },
  { weight: 5, arbitrary: text.map((value) => new TextEncoder().encode(value)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 90 }) },
)

/** A chunk begins behind it. */
const GOODBYE = { first: 0x88, payload: new Uint8Array(0), lengthBytes: 0 as const, cut: 6 }

/** Frames of a client's, which are masked, or of a server's; some are none that may be. */
export function frames(isServed: boolean): fc.Arbitrary<Frame[]> {
  const usual = fc.record({
    first: fc.oneof(
      { weight: 12, arbitrary: fc.constant(0x81) },
      // Bytes; the frames of one message, and what may come between; a goodbye; what is compressed, or nothing at all.
      { weight: 4, arbitrary: fc.constantFrom(0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a) },
      { weight: 1, arbitrary: fc.constantFrom(0x88, 0xc1, 0x91, 0x83, 0x09) },
    ),
    isMasked: fc.constant(isServed),
    key: fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.constantFrom(new Uint8Array(4), Uint8Array.of(0x80, 0, 0, 0)),
    ),
    payload,
    lengthBytes: fc.constantFrom(0 as const, 0 as const, 0 as const, 2 as const, 8 as const),
    excess: fc.constantFrom(0, 0, 0, 0, 1),
    cut: fc.option(fc.oneof(fc.nat(8), fc.nat(400)), { nil: undefined }),
  })
  const frame = fc.oneof(
    { weight: 30, arbitrary: usual },
    { weight: 2, arbitrary: usual.map((one) => ({ ...one, ...GOODBYE })) },
    { weight: 1, arbitrary: usual.map((one) => ({ ...one, isMasked: !isServed })) },
  )
  return fc.array(frame, { maxLength: 12 })
}
