import {
  createChannel,
  createClient,
  type Frame,
  memoryTransportPair,
  RpcDisconnectedError,
  type TransportEvents,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { settled } from './support/raw-end.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** What is written in one turn shares frames (docs/protocol.md, "Shared frames"). */

interface Server {
  add(params: { a: number; b: number }): number
  echo(params: { value: unknown }): unknown
  note(params: { n: number }): void
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A client, and its server, which has said that it takes so many messages in a frame. */
async function connect(batch?: number, msg = 100_000) {
  const server = await RawServer.listen()
  opened.push(() => server[Symbol.asyncDispose]())
  const client = createClient<Server>({ url: server.url })
  opened.push(() => client.close())
  const peer = await server.accept()
  const { id } = await peer.nextJson()
  const limits = batch === undefined ? { msg } : { msg, batch }
  const result = { v: 1, sid: 'a', resumed: false, spreadMs: 0, bytes: true, limits }
  peer.send({ jsonrpc: '2.0', id, result })
  await client.connect()
  return { client, peer }
}

const add = (id: number) => ({ jsonrpc: '2.0', id, method: 'add', params: { a: id, b: 1 } })

describe('a client', () => {
  test('sends the calls of a turn in one frame, in their order', async () => {
    const { client, peer } = await connect(100)
    const sums = [1, 2, 3].map((a) => client.other.add({ a, b: 1 }))
    expect(await peer.nextJson()).toEqual([add(1), add(2), add(3)])
    peer.send([3, 1, 2].map((id) => ({ jsonrpc: '2.0', id, result: id + 1 })))
    expect(await Promise.all(sums)).toEqual([2, 3, 4])
    void client.other.add({ a: 4, b: 1 }).catch(() => {})
    expect(await peer.nextJson()).toEqual(add(4))
  })

  test('begins with few, and has twice as many in each that follows', async () => {
    const { client, peer } = await connect(100)
    for (let n = 1; n <= 300; n++) void client.other.add({ a: n, b: 1 }).catch(() => {})
    const frames: { id: number }[][] = []
    while (frames.flat().length < 300) frames.push(await peer.nextJson())
    expect(frames.map(({ length }) => length)).toEqual([32, 64, 100, 100, 4])
    expect(frames.flat().map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1))
  })

  test('sends no more of them in a frame than the other side takes, and no larger one', async () => {
    const few = await connect(2)
    for (let n = 1; n <= 5; n++) void few.client.other.add({ a: n, b: 1 }).catch(() => {})
    expect(await few.peer.nextJson()).toHaveLength(2)
    expect(await few.peer.nextJson()).toHaveLength(2)
    expect(await few.peer.nextJson()).toEqual(add(5))
    const small = await connect(100, 600)
    for (let n = 1; n <= 20; n++) void small.client.other.add({ a: n, b: 1 }).catch(() => {})
    for (let count = 0; count < 20; ) {
      const frame = await small.peer.next()
      expect(frame.length).toBeLessThanOrEqual(600)
      count += [JSON.parse(frame)].flat().length
    }
  })

  test('sends each alone to a side that has not said that it takes several', async () => {
    const { client, peer } = await connect()
    for (let n = 1; n <= 3; n++) void client.other.add({ a: n, b: 1 }).catch(() => {})
    for (let n = 1; n <= 3; n++) expect(await peer.nextJson()).toEqual(add(n))
  })

  test('keeps their order with large ones, and with bytes, which go alone', async () => {
    const { client, peer } = await connect(100)
    const send = (value: unknown) => void client.other.echo({ value }).catch(() => {})
    send(1)
    send('x'.repeat(20_000))
    send(2)
    send(new Uint8Array([7]))
    send(3)
    const ids: number[] = []
    for (let frames = 0; frames < 6; frames++) {
      const frame = await peer.next()
      if (frame.length > 1) ids.push(...[JSON.parse(frame)].flat().map(({ id }) => id))
      else expect(frame).toBe('\u0007')
    }
    expect(ids).toEqual([1, 2, 3, 4, 5])
  })

  test('has sent what was called in the turn in which it is closed', async () => {
    const { client, peer } = await connect(100)
    const calls = [1, 2].map((a) => rejection(client.other.add({ a, b: 1 })))
    const closing = client.close()
    expect(await peer.nextJson()).toEqual([add(1), add(2)])
    for (const thrown of await Promise.all(calls)) {
      expect(thrown).toBeInstanceOf(RpcDisconnectedError)
      expect(thrown).toMatchObject({ outcome: 'maybe-executed' })
    }
    await closing
  })

  test('one call whose params can not be carried harms itself alone', async () => {
    const { client, peer } = await connect(100)
    const good = [client.other.add({ a: 1, b: 1 }), client.other.add({ a: 3, b: 1 })]
    expect(await rejection(client.other.echo({ value: 1n }))).toMatchObject({ outcome: 'not-sent' })
    expect(await peer.nextJson()).toEqual(
      [add(1), add(2)].map((call, n) => ({ ...call, params: { a: 2 * n + 1, b: 1 } })),
    )
    peer.send([1, 2].map((id) => ({ jsonrpc: '2.0', id, result: id })))
    expect(await Promise.all(good)).toEqual([1, 2])
  })
})

describe('a server', () => {
  test('takes each as if it had come alone, and answers those that are ready together', async () => {
    const heard: number[] = []
    let finish = (_: number) => {}
    const endpoint = createEndpoint<Server>({
      methods: {
        add: ({ a, b }) => (a === 2 ? new Promise((resolve) => (finish = resolve)) : a + b),
        echo: ({ value }) => value,
        note: ({ n }) => void heard.push(n),
      },
    })
    opened.push(() => endpoint.close())
    const peer = await rawClient((await endpoint.listen()).url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const params = { v: 1, attempt: 1, codec: 'json', limits: { msg: 10_000, batch: 100 } }
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
    expect((await peer.nextJson()).result.limits).toEqual({
      msg: 1024 * 1024,
      batch: 100,
      depth: 256,
    })
    const note = (n: number) => ({ jsonrpc: '2.0', method: 'note', params: { n } })
    peer.send([note(1), add(1), add(2), 7, note(2), add(3)])
    const [first, refused, third] = await peer.nextJson()
    expect([first, third]).toMatchObject([
      { id: 1, result: 2 },
      { id: 3, result: 4 },
    ])
    expect(refused).toMatchObject({ id: null, error: { code: -32600 } })
    expect(heard).toEqual([1, 2])
    finish(9)
    expect(await peer.nextJson()).toMatchObject({ id: 2, result: 9 })
    peer.send(Array.from({ length: 101 }, (_, n) => add(n + 1)))
    expect(await peer.closed).toMatchObject({
      code: 4400,
      reason: expect.stringContaining('101 messages'),
    })
  })

  test('ends what shares a frame with what breaks the protocol, from there on', async () => {
    const heard: number[] = []
    const endpoint = createEndpoint<Pick<Server, 'note'>>({
      methods: { note: ({ n }) => void heard.push(n) },
    })
    opened.push(() => endpoint.close())
    const peer = await rawClient((await endpoint.listen()).url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const params = { v: 1, attempt: 1, codec: 'json', limits: { msg: 10_000, batch: 100 } }
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
    await peer.nextJson()
    const note = (n: number) => ({ jsonrpc: '2.0', method: 'note', params: { n } })
    peer.send([note(1), { jsonrpc: '2.0', method: 'rpc.methods', params: {} }, note(2)])
    expect(await peer.closed).toMatchObject({ code: 4400 })
    await polled(() => heard).toEqual([1])
  })
})

test('what a plain peer is sent in a turn leaves in one piece, in frames of its own', async () => {
  const log: string[] = []
  let tell: (frame: string) => void = () => {}
  const transport = Object.assign(memoryTransportPair()[0], {
    start: (events: TransportEvents) => (tell = (frame) => events.frame(frame)),
    send: (frame: Frame) => log.push(String(frame)) > 0,
    close: () => {},
    cork: (isHeld: boolean) => log.push(isHeld ? 'held' : 'let go'),
  })
  const methods = { add: ({ a, b }: { a: number; b: number }) => a + b }
  const channel = createChannel<Pick<Server, 'add'>, object>({ side: 'server', transport, methods })
  opened.push(() => channel.close())
  for (const id of [1, 2, 3]) tell(JSON.stringify(add(id)))
  await settled()
  const answer = (id: number) => JSON.stringify({ jsonrpc: '2.0', id, result: id + 1 })
  expect(log).toEqual(['held', answer(1), answer(2), answer(3), 'let go'])
})
