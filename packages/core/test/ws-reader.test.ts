import { setImmediate } from 'node:timers/promises'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import * as ws from 'ws'
import { readTextOf, type WsReceiver } from '../src/transport/ws-reader.js'

/** What the types of `ws` leave out. */
const { Receiver } = ws as unknown as {
  Receiver: {
    new (options: { isServer: boolean; maxPayload: number }): WsReceiver & NodeJS.WritableStream
    prototype: { _write(...args: unknown[]): void }
  }
}

const MAX_PAYLOAD = 300

interface Frame {
  readonly first: number
  readonly isMasked: boolean
  readonly key: Uint8Array
  readonly payload: Uint8Array
  /** Its length is written in so many bytes, or the fewest. */
  readonly lengthBytes: 0 | 2 | 8
  /** After so many of its bytes another chunk begins. */
  readonly cut: number | undefined
}

function bytesOf({ first, isMasked, key, payload, lengthBytes }: Frame): Buffer {
  const { length } = payload
  const size = length < 126 ? lengthBytes : length < 65_536 ? Math.max(2, lengthBytes) : 8
  const head = Buffer.alloc(2 + size)
  head[0] = first
  head[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127)
  if (size === 2) head.writeUInt16BE(length, 2)
  if (size === 8) head.writeUIntBE(length, 4, 6)
  if (!isMasked) return Buffer.concat([head, payload])
  const masked = payload.map((byte, n) => byte ^ (key[n & 3] as number))
  return Buffer.concat([head, key, masked])
}

function chunksOf(frames: readonly Frame[]): Buffer[] {
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

/** What a receiver tells of such chunks, in order. */
async function toldOf(chunks: readonly Uint8Array[], isServed: boolean, isRead: boolean) {
  const told: unknown[][] = []
  const receiver = new Receiver({ isServer: isServed, maxPayload: MAX_PAYLOAD })
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    told.push(isBinary ? ['bytes', data.toString('hex')] : ['text', data.toString()]),
  )
  for (const event of ['ping', 'pong']) {
    receiver.on(event, (data: Buffer) => told.push([event, data.toString('hex')]))
  }
  receiver.on('conclude', (code: number, reason: Buffer) =>
    told.push(['conclude', code, String(reason)]),
  )
  receiver.on('error', ({ code }: NodeJS.ErrnoException) => told.push(['error', code]))
  if (isRead) {
    readTextOf(receiver, { isServed, receivedText: (text) => told.push(['text', text]) })
  }
  for (const chunk of chunks) {
    // It is written over where it is.
    receiver.write(Buffer.from(chunk))
    await setImmediate()
  }
  return told
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

function frame(isServed: boolean): fc.Arbitrary<Frame> {
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
    cut: fc.option(fc.oneof(fc.nat(8), fc.nat(400)), { nil: undefined }),
  })
  return fc.oneof(
    { weight: 30, arbitrary: usual },
    { weight: 2, arbitrary: usual.map((one) => ({ ...one, ...GOODBYE })) },
    { weight: 1, arbitrary: usual.map((one) => ({ ...one, isMasked: !isServed })) },
  )
}

test.each([
  ['a server', true],
  ['a client', false],
])(
  '%s hears what it heard of ws, in the same order, however the bytes come',
  async (_, isServed) => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame(isServed), { maxLength: 12 }), async (frames) => {
        const chunks = chunksOf(frames)
        expect(await toldOf(chunks, isServed, true)).toStrictEqual(
          await toldOf(chunks, isServed, false),
        )
      }),
      { numRuns: 1_000 },
    )
  },
)

test('small calls cost both sides no stream of ws', async () => {
  interface Server {
    echo(params: { text: string }): string
  }
  await using endpoint = createEndpoint<Server>({ methods: { echo: ({ text }) => text } })
  await using client = createClient<Server>({ url: (await endpoint.listen()).url })
  await client.other.echo({ text: '' })
  const written = vi.spyOn(Receiver.prototype, '_write')
  for (const text of ['x', 'é', 'x'.repeat(10_000)]) {
    expect(await client.other.echo({ text })).toBe(text)
  }
  expect(written).not.toHaveBeenCalled()
  // What may be no UTF-8 is left to it, on both sides.
  expect(await client.other.echo({ text: '\uFFFD' })).toBe('\uFFFD')
  expect(written).toHaveBeenCalledTimes(2)
  written.mockRestore()
})
