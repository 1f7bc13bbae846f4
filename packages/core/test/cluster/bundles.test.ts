import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Bundle, readBundle } from '../../src/cluster/bundle.js'
import { ClusterNode } from '../../src/cluster/cluster-node.js'
import { HEAD_BYTES, Kind, readEnvelope } from '../../src/cluster/envelope.js'
import type { PipeHead } from '../../src/cluster/pipe.js'
import type { Frame } from '../../src/wire/codec.js'
import { SeededNetwork } from '../support/seeded-network.js'

type Entry = readonly [seq: number, head: PipeHead, body?: Frame]

const ENTRIES: readonly Entry[] = [
  [1, { l: 7, to: 'up', is: 'open', what: { sid: 'x' } }],
  [2, { l: 7, to: 'up' }, 'text, ä and 😀'],
  [0xffff_ffff, { l: 0xffff_ffff, to: 'down' }, new Uint8Array([0, 255])],
  [3, { l: 7, to: 'down', is: 'end', code: 4000, reason: 'enough' }],
  [4, { l: 7, to: 'up' }, ''],
  [5, { l: 7, to: 'up' }, new Uint8Array()],
]

function bodyOf(entries: readonly Entry[]): Uint8Array {
  const bundle = new Bundle(1_000_000)
  for (const entry of entries) expect(bundle.add(...entry)).toBe(true)
  return new Uint8Array(bundle.payload().subarray(HEAD_BYTES))
}

describe('a bundle', () => {
  test('carries messages of pipes in their order', () => {
    expect(readBundle('a', bodyOf(ENTRIES))).toEqual(
      ENTRIES.map(([seq, head, body = '']) => ({ node: 'a', seq, head, body })),
    )
  })

  test('carries messages that are larger than its first memory', () => {
    const frames = ['x'.repeat(5_000), 'ä'.repeat(70_000), new Uint8Array(200_000).fill(3)]
    const entries = frames.map((frame, n): Entry => [n + 1, { l: 1, to: 'up' }, frame])
    expect(readBundle('a', bodyOf(entries)).map(({ body }) => body)).toEqual(frames)
  })

  test('copies bytes, which their owner may change at once', () => {
    const bytes = new Uint8Array([1, 2, 3])
    const bundle = new Bundle(1_000)
    bundle.add(1, { l: 1, to: 'up' }, bytes)
    bytes.fill(9)
    const [message] = readBundle('a', bundle.payload().subarray(HEAD_BYTES))
    expect(message?.body).toEqual(new Uint8Array([1, 2, 3]))
  })

  test('takes a message of any size alone, and no other that makes it too large', () => {
    const bundle = new Bundle(100)
    expect(bundle.add(1, { l: 1, to: 'up' }, 'x'.repeat(40))).toBe(true)
    expect(bundle.add(2, { l: 1, to: 'up' }, 'x'.repeat(40))).toBe(false)
    expect(bundle.isFull).toBe(false)
    const other = new Bundle(100)
    expect(other.add(1, { l: 1, to: 'up' }, 'x'.repeat(400))).toBe(true)
    expect(other.isFull).toBe(true)
  })

  test('that is broken gives the messages before the break', () => {
    const whole = bodyOf(ENTRIES)
    const read = (body: Frame) => readBundle('a', body).map(({ seq }) => seq)
    const all = ENTRIES.map(([seq]) => seq)
    // Each beginning of it.
    for (let size = 0; size < whole.byteLength; size++) {
      const some = read(whole.slice(0, size))
      expect(some).toEqual(all.slice(0, some.length))
      expect(some.length).toBeLessThan(all.length)
    }
    const text = bodyOf(ENTRIES.slice(1, 3))
    text[13] = 0xff
    expect(read(text)).toEqual([])
    const json = bodyOf(ENTRIES.slice(0, 2))
    json[13] = 0x21
    expect(read(json)).toEqual([])
    expect(read('text')).toEqual([])
  })
})

/** A node whose engine tells all that is published, in the order of it. */
async function started() {
  const network = new SeededNetwork(1)
  const engine = network.engine()
  const published: { subject: string; kind: number; seqs: number[]; bytes: number }[] = []
  const publish = engine.publish.bind(engine)
  engine.publish = (subject, payload) => {
    const body = readEnvelope(payload)?.envelope.body as Uint8Array
    const seqs = payload[1] === Kind.lane ? readBundle('a', body).map(({ seq }) => seq) : []
    const bytes = payload.byteLength
    published.push({ subject, kind: payload[1] as number, seqs, bytes })
    publish(subject, payload)
  }
  const options = { engine, app: 'bundles', name: 'one', graceMs: 1_000, outageMs: 1_000 }
  const node = new ClusterNode(options)
  const host = { codec: 'json', frames: 'text', maxMessageBytes: 1_000_000, logger: false } as const
  await node.start(host)
  published.length = 0
  const post = node.postOf(Kind.lane)
  const lanes = () => published.filter(({ kind }) => kind === Kind.lane)
  return { network, engine, node, post, published, lanes }
}

const B = 'b'.repeat(16)
const C = 'c'.repeat(16)
const frame: PipeHead = { l: 1, to: 'up' }

describe('messages of pipes', () => {
  test('go together to each node, after the turn in which they were sent', async () => {
    const { node, post, lanes } = await started()
    for (const seq of [1, 2, 3]) expect(post.send(B, seq, frame, 'x')).toBe(true)
    post.send(C, 1, frame, 'y')
    await Promise.resolve()
    post.send(B, 4, { ...frame, is: 'credit', bytes: 5 })
    expect(lanes()).toEqual([])
    await setImmediate()
    expect(lanes().map(({ subject, seqs }) => [subject.slice(-16), seqs])).toEqual([
      [B, [1, 2, 3, 4]],
      [C, [1]],
    ])
    await node.stop()
  })

  test('go before all that is sent after them', async () => {
    const { node, post, published } = await started()
    post.send(B, 1, frame, 'x')
    node.send(B, Kind.roll, {})
    post.send(B, 2, frame, 'x')
    node.publish(node.subjects.everybody, Kind.leave, {})
    post.send(B, 3, frame, 'x')
    await node.stop()
    const kinds = published.map(({ kind }) => kind)
    const { lane, roll, leave } = Kind
    expect(kinds.slice(0, 5)).toEqual([lane, roll, lane, leave, lane])
  })

  test('go in the epoch in which they were sent', async () => {
    const { node, post, lanes, published } = await started()
    post.send(B, 1, frame, 'x')
    node.buried(node.epoch)
    expect(lanes().map(({ seqs }) => seqs)).toEqual([[1]])
    expect(published.map(({ kind }) => kind)).toEqual([Kind.lane, Kind.hello])
    await node.stop()
  })

  test('go at once if they are many', async () => {
    const { node, post, lanes } = await started()
    const count = 100
    for (let seq = 1; seq <= count; seq++) post.send(B, seq, frame, 'x'.repeat(4_000))
    expect(lanes().length).toBeGreaterThan(4)
    await setImmediate()
    expect(lanes().flatMap(({ seqs }) => seqs)).toEqual(
      Array.from({ length: count }, (_, n) => n + 1),
    )
    for (const { bytes } of lanes()) expect(bytes).toBeLessThanOrEqual(64 * 1024)
    await node.stop()
  })

  test('are dropped with the engine: it may have lost those before', async () => {
    const { network, engine, node, post, lanes } = await started()
    post.send(B, 1, frame, 'x')
    network.cutOff(engine)
    expect(post.send(B, 2, frame, 'x')).toBe(false)
    await network.restore(engine)
    expect(post.send(B, 3, frame, 'x')).toBe(true)
    await setImmediate()
    expect(lanes().map(({ seqs }) => seqs)).toEqual([[3]])
    await node.stop()
  })
})
