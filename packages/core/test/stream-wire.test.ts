import { type Client, type ClientOptions, createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** Exact messages, by peers that know nothing of RPC: docs/protocol.md, "Streams". */

interface Server {
  ticks(params: { upTo: number }): AsyncIterable<number>
  upload(): number
  photo(params: { size: number }): AsyncIterable<Uint8Array>
  add(params: { a: number; b: number }): number
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const word = (method: string, params: object) => ({ jsonrpc: '2.0', method, params })
const call = (id: unknown, method: string, params: object, rpc?: object) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
  ...(rpc && { rpc }),
})

describe('a server', () => {
  async function serve() {
    const ended: string[] = []
    const errors: unknown[] = []
    const endpoint = createEndpoint<Server>({
      onError: [(_, error) => errors.push(error)],
      methods: {
        async *ticks({ upTo }) {
          try {
            for (let n = 0; n < upTo; n++) yield n
          } finally {
            ended.push('ticks')
          }
        },
        async upload(_, { input }) {
          let items = 0
          for await (const _ of input) items++
          ended.push('upload')
          return items
        },
        *photo({ size }) {
          yield new Uint8Array(size).map((_, index) => index)
        },
        add: ({ a, b }) => a + b,
      },
    })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    return { url, ended, errors }
  }

  /** A client past its hello. */
  async function extended(url: string, msg = 1_000_000): Promise<RawPeer> {
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const params = { v: 1, attempt: 1, codec: 'json', bytes: true, limits: { msg } }
    peer.send(call('rpc:1', 'rpc.hello', params))
    await peer.nextJson()
    return peer
  }

  /** The connection serves calls as before. */
  async function isWell(peer: RawPeer) {
    peer.send(call('well', 'add', { a: 1, b: 2 }))
    expect(await peer.nextJson()).toEqual({ jsonrpc: '2.0', id: 'well', result: 3 })
  }

  test('sends items as far as there is credit, and then waits for more', async () => {
    const { url } = await serve()
    const peer = await extended(url)
    peer.send(call(7, 'ticks', { upTo: 3 }, { credit: 2 }))
    expect(await peer.next()).toBe(
      '{"jsonrpc":"2.0","method":"rpc.item","params":{"id":7,"value":0}}',
    )
    expect(await peer.nextJson()).toEqual(word('rpc.item', { id: 7, value: 1 }))
    await isWell(peer)
    peer.send(word('rpc.credit', { id: 7, n: 1 }))
    expect(await peer.nextJson()).toEqual(word('rpc.item', { id: 7, value: 2 }))
    peer.send(word('rpc.credit', { id: 7, n: 1 }))
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","id":7,"result":null}')
  })

  test('sends bytes that are too large for one message as several items, each with credit', async () => {
    const { url } = await serve()
    const peer = await extended(url, 300)
    const frames: Buffer[] = []
    peer.socket.on('message', (data: Buffer) => frames.push(data))
    peer.send(call(7, 'photo', { size: 350 }, { credit: 2 }))
    const announced = (size: number) => ({
      ...word('rpc.item', { id: 7, value: null }),
      rpc: { bytes: [{ at: ['params', 'value'], size }] },
    })
    for (const size of [150, 150]) {
      expect(await peer.nextJson()).toEqual(announced(size))
      await peer.next()
    }
    await isWell(peer)
    peer.send(word('rpc.credit', { id: 7, n: 2 }))
    expect(await peer.nextJson()).toEqual(announced(50))
    await peer.next()
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","id":7,"result":null}')
    const bytes = Buffer.concat(frames.filter((frame) => frame[0] !== 0x7b))
    expect(bytes).toEqual(Buffer.from(Uint8Array.from({ length: 350 }, (_, index) => index)))
  })

  test('serves whoever asks, hello or not', async () => {
    const { url } = await serve()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    peer.send(call('a', 'ticks', { upTo: 1 }, { credit: 10 }))
    expect(await peer.nextJson()).toEqual(word('rpc.item', { id: 'a', value: 0 }))
    expect(await peer.nextJson()).toEqual({ jsonrpc: '2.0', id: 'a', result: null })
  })

  test('gives credit for input when it reads it, and answers after its end', async () => {
    const { url } = await serve()
    const peer = await extended(url)
    peer.send(call(8, 'upload', {}, { input: true }))
    expect(await peer.next()).toBe(
      '{"jsonrpc":"2.0","method":"rpc.input.credit","params":{"id":8,"n":4}}',
    )
    peer.send(word('rpc.input', { id: 8, value: 0 }))
    expect(await peer.nextJson()).toEqual(word('rpc.input.credit', { id: 8, n: 29 }))
    for (let value = 1; value < 17; value++) peer.send(word('rpc.input', { id: 8, value }))
    expect(await peer.nextJson()).toEqual(word('rpc.input.credit', { id: 8, n: 16 }))
    peer.send(word('rpc.input.end', { id: 8 }))
    expect(await peer.nextJson()).toEqual({ jsonrpc: '2.0', id: 8, result: 17 })
  })

  test('ends the source of a stream that is cancelled, and answers that', async () => {
    const { url, ended } = await serve()
    const peer = await extended(url)
    peer.send(call(7, 'ticks', { upTo: 100 }, { credit: 1 }))
    await peer.nextJson()
    peer.send(word('rpc.cancel', { id: 7 }))
    expect(await peer.nextJson()).toMatchObject({ id: 7, error: { code: -32800 } })
    expect(ended).toEqual(['ticks'])
    peer.send(word('rpc.credit', { id: 7, n: 5 }))
    await isWell(peer)
  })

  test('ignores what was under way for a call that has ended', async () => {
    const { url } = await serve()
    const peer = await extended(url)
    peer.send(call(7, 'ticks', { upTo: 0 }, { credit: 1 }))
    await peer.nextJson()
    peer.send(word('rpc.credit', { id: 7, n: 5 }))
    peer.send(call(8, 'upload', {}, { input: true }))
    await peer.nextJson()
    peer.send(word('rpc.input.end', { id: 8 }))
    await peer.nextJson()
    peer.send(word('rpc.input', { id: 8, value: 1 }))
    peer.send(word('rpc.input.end', { id: 8 }))
    await isWell(peer)
  })

  const running = [
    call(7, 'ticks', { upTo: 100 }, { credit: 1 }),
    call(8, 'upload', {}, { input: true }),
    call(9, 'ticks', { upTo: 1 }, { credit: 65_535 }),
  ]

  test.each<[string, object | object[]]>([
    ['credit of 0', word('rpc.credit', { id: 7, n: 0 })],
    ['negative credit', word('rpc.credit', { id: 7, n: -1 })],
    ['half a credit', word('rpc.credit', { id: 7, n: 1.5 })],
    ['huge credit', word('rpc.credit', { id: 7, n: 65_536 })],
    ['credit that is no number', word('rpc.credit', { id: 7, n: '1' })],
    ['no credit', word('rpc.credit', { id: 7 })],
    ['credit that adds up to too much', Array(2).fill(word('rpc.credit', { id: 7, n: 40_000 }))],
    ['credit for no stream', word('rpc.credit', { id: 8, n: 1 })],
    ['credit for no call', word('rpc.credit', { id: 70, n: 1 })],
    ['credit for a call of another kind of id', word('rpc.credit', { id: '7', n: 1 })],
    ['credit for nothing', word('rpc.credit', {})],
    ['input for a call that said nothing of it', word('rpc.input', { id: 7, value: 1 })],
    ['input for no call', word('rpc.input', { id: 70, value: 1 })],
    ['the end of input for no call', word('rpc.input.end', { id: 70 })],
    ['input beyond the credit', Array(33).fill(word('rpc.input', { id: 8, value: 1 }))],
    [
      'input after its end',
      [word('rpc.input.end', { id: 8 }), word('rpc.input', { id: 8, value: 1 })],
    ],
    ['input that ends twice', Array(2).fill(word('rpc.input.end', { id: 8 }))],
  ])('closes a connection over %s', async (_, messages) => {
    const { url, errors } = await serve()
    const peer = await extended(url)
    for (const message of running) peer.send(message)
    // The items of 7 and 9, the answer of 9, the credit of 8.
    for (let n = 0; n < 4; n++) await peer.next()
    // In one turn: what is read is given credit for again.
    peer.send(Array.isArray(messages) ? messages : [messages])
    expect(await peer.closed).toMatchObject({ code: 4400 })
    expect(errors.map(String)).toContainEqual(expect.stringMatching(/The protocol was broken: /))
  })

  test.each<[string, object]>([
    ['credit of 0', { credit: 0 }],
    ['negative credit', { credit: -5 }],
    ['huge credit', { credit: 1e9 }],
    ['credit that is none', { credit: true }],
    ['input that is none', { input: 'yes' }],
    ['a key beside a stream', { credit: 1, key: 'k' }],
    ['a key beside input', { input: true, key: 'k' }],
  ])('does not run a request with %s', async (_, rpc) => {
    const { url, ended } = await serve()
    const peer = await extended(url)
    peer.send(call(7, 'ticks', { upTo: 1 }, rpc))
    const answer = await peer.nextJson()
    expect(answer).toMatchObject({ id: 7, error: { code: -32600 }, rpc: { ran: false } })
    expect(ended).toEqual([])
    await isWell(peer)
  })

  test('does not run a stream without an id', async () => {
    const { url, ended } = await serve()
    const peer = await extended(url)
    peer.send(call(null, 'ticks', { upTo: 1 }, { credit: 1 }))
    expect(await peer.nextJson()).toMatchObject({ id: null, error: { code: -32600 } })
    expect(ended).toEqual([])
  })
})

describe('a client', () => {
  async function connect(options: Partial<ClientOptions<Record<never, never>, Server>> = {}) {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = createClient<Server>({ url: server.url, ...options } as { url: string })
    opened.push(() => client.close())
    const peer = await server.acceptExtended()
    return { client, peer }
  }

  /** Makes one call of each kind, as the first three. */
  async function calling(client: Client<unknown, Server>, peer: RawPeer) {
    let returned = 0
    const stream = client.stream('ticks', { upTo: 5 })
    const first = stream.next()
    const source = (function* () {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        returned++
      }
    })()
    const upload = client.other.upload(undefined, { input: source })
    const sum = client.other.add({ a: 1, b: 2 })
    for (const promise of [first, upload, sum]) promise.catch(() => {})
    const requests = [await peer.nextJson(), await peer.nextJson(), await peer.nextJson()]
    expect(requests).toMatchObject([
      { id: 1, method: 'ticks' },
      { id: 2, method: 'upload' },
      { id: 3, method: 'add' },
    ])
    return {
      stream,
      first,
      upload,
      ids: { ticks: 1, upload: 2, add: 3 },
      requests,
      isReturned: () => returned === 1,
    }
  }

  test('asks for a stream with credit, and gives more as items are taken', async () => {
    const { client, peer } = await connect({ limits: { streamItems: 4 } })
    const stream = client.stream('ticks', { upTo: 5 })
    const first = stream.next()
    expect(await peer.next()).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"ticks","rpc":{"credit":4},"params":{"upTo":5}}',
    )
    for (let value = 0; value < 4; value++) peer.send(word('rpc.item', { id: 1, value }))
    expect(await first).toEqual({ done: false, value: 0 })
    expect(peer.unread).toEqual([])
    await stream.next()
    expect(await peer.next()).toBe(
      '{"jsonrpc":"2.0","method":"rpc.credit","params":{"id":1,"n":2}}',
    )
    await stream.return(undefined)
    expect(await peer.nextJson()).toEqual(word('rpc.cancel', { id: 1 }))
    // What was under way is nobody's.
    peer.send(word('rpc.item', { id: 1, value: 9 }))
    peer.send({ jsonrpc: '2.0', id: 1, error: { code: -32800, message: 'cancelled' } })
    const sum = client.other.add({ a: 1, b: 2 })
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id, result: 3 })
    expect(await sum).toBe(3)
  })

  test('sends input as far as there is credit, and ends its source when no more is wanted', async () => {
    const { client, peer } = await connect()
    const { upload, ids, isReturned, requests } = await calling(client, peer)
    expect(requests).toContainEqual({
      jsonrpc: '2.0',
      id: ids.upload,
      method: 'upload',
      rpc: { input: true },
    })
    peer.send(word('rpc.input.credit', { id: ids.upload, n: 2 }))
    expect(await peer.nextJson()).toEqual(word('rpc.input', { id: ids.upload, value: 0 }))
    expect(await peer.nextJson()).toEqual(word('rpc.input', { id: ids.upload, value: 1 }))
    expect(isReturned()).toBe(false)
    peer.send(word('rpc.input.credit', { id: ids.upload, n: 0 }))
    await polled(isReturned).toBe(true)
    expect(peer.unread).toEqual([])
    peer.send({ jsonrpc: '2.0', id: ids.upload, result: 2 })
    expect(await upload).toBe(2)
    // Late, and nobody's fault.
    peer.send(word('rpc.input.credit', { id: ids.upload, n: 5 }))
    peer.send(word('rpc.item', { id: ids.upload, value: 5 }))
    peer.send({ jsonrpc: '2.0', method: 'rpc.ping' })
    expect(await peer.nextJson()).toEqual({ jsonrpc: '2.0', method: 'rpc.pong' })
  })

  test('says that the input has ended', async () => {
    const { client, peer } = await connect()
    const upload = client.other.upload(undefined, { input: ['a'] })
    await peer.nextJson()
    peer.send(word('rpc.input.credit', { id: 1, n: 2 }))
    expect(await peer.nextJson()).toEqual(word('rpc.input', { id: 1, value: 'a' }))
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","method":"rpc.input.end","params":{"id":1}}')
    peer.send({ jsonrpc: '2.0', id: 1, result: 1 })
    expect(await upload).toBe(1)
  })

  test.each<[string, (ids: { ticks: number; upload: number; add: number }) => object[]]>([
    ['an item of no call', () => [word('rpc.item', { id: 99, value: 1 })]],
    ['an item of a call by text', () => [word('rpc.item', { id: '1', value: 1 })]],
    ['an item of call 0', () => [word('rpc.item', { id: 0, value: 1 })]],
    ['an item of nothing', () => [word('rpc.item', {})]],
    ['an item of a call that is no stream', ({ add }) => [word('rpc.item', { id: add, value: 1 })]],
    [
      'items beyond the credit',
      ({ ticks }) => Array(40).fill(word('rpc.item', { id: ticks, value: 1 })),
    ],
    [
      'credit for a call without input',
      ({ ticks }) => [word('rpc.input.credit', { id: ticks, n: 1 })],
    ],
    ['credit for input of no call', () => [word('rpc.input.credit', { id: 99, n: 1 })]],
    ['negative credit', ({ upload }) => [word('rpc.input.credit', { id: upload, n: -1 })]],
    ['huge credit', ({ upload }) => [word('rpc.input.credit', { id: upload, n: 1e9 })]],
    ['no credit', ({ upload }) => [word('rpc.input.credit', { id: upload })]],
  ])('closes a connection over %s, and its calls end', async (_, messages) => {
    const { client, peer } = await connect()
    const { first, upload, ids } = await calling(client, peer)
    peer.send(messages(ids))
    expect(await peer.closed).toMatchObject({ code: 4400 })
    expect(await rejection(upload)).toMatchObject({ closeCode: 4400, outcome: 'maybe-executed' })
    await first.catch((error: unknown) => expect(error).toMatchObject({ closeCode: 4400 }))
    expect(client.state.status).toBe('failed')
  })
})
