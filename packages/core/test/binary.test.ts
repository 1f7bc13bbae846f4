import { runInNewContext } from 'node:vm'
import {
  type ChannelOptions,
  createChannel,
  createClient,
  memoryTransportPair,
  RpcDisconnectedError,
  RpcOverloadedError,
  RpcProtocolError,
  RpcValidationError,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { someBytes } from './support/codec-cases.js'
import { createEchoMethods, type EchoClient, type EchoServer } from './support/echo.js'
import { polled } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** What came over a socket: text, or bytes in hexadecimal behind a `#`. */
function framesOf({ socket }: RawPeer): string[] {
  const frames: string[] = []
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    frames.push(isBinary ? `#${Buffer.from(data).toString('hex')}` : data.toString())
  })
  return frames
}

const binary = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const limits = { msg: 1024 * 1024 }
const sayHello = (params: object = {}) => ({
  jsonrpc: '2.0',
  id: 'rpc:1',
  method: 'rpc.hello',
  params: { v: 1, attempt: 1, codec: 'json', bytes: true, limits, ...params },
})

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(options: ChannelOptions = {}) {
  const errors: Error[] = []
  const noted: unknown[] = []
  const endpoint = createEndpoint<EchoServer, EchoClient>({
    methods: {
      ...createEchoMethods(),
      note: ({ value }: { value: unknown }) => void noted.push(value),
    } as never,
    onError: [(_, error) => errors.push(error as Error)],
    ...options,
  })
  opened.push(() => endpoint.close())
  return { endpoint, errors, noted, url: (await endpoint.listen()).url }
}

function connect(url: string, options: ChannelOptions = {}) {
  const client = createClient<EchoServer, EchoClient>({
    url,
    retry: { minDelayMs: 1, maxDelayMs: 5 },
    methods: { echo: ({ value }) => value },
    ...options,
  })
  opened.push(() => client.close())
  return client
}

describe('on the wire', () => {
  test('a client sends bytes behind their JSON, and takes them so', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url)
    const peer = await server.acceptExtended({ bytes: true })
    const frames = framesOf(peer)
    const value = { a: Uint8Array.of(1, 2), b: [new Uint8Array(), { '': Uint8Array.of(255) }] }
    const answer = client.other.echo({ value })
    await polled(() => frames).toStrictEqual([
      '{"jsonrpc":"2.0","id":1,"method":"echo","params":{"value":{"a":null,"b":[null,{"":null}]}},"rpc":{"bytes":[{"at":["params","value","a"],"size":2},{"at":["params","value","b","0"],"size":0},{"at":["params","value","b","1",""],"size":1}]}}',
      '#0102',
      '#',
      '#ff',
    ])
    const bytes = [{ at: ['result'], size: 3 }]
    peer.send({ jsonrpc: '2.0', id: 1, result: null, rpc: { bytes } })
    peer.send(binary('030405'))
    expect(await answer).toStrictEqual(Uint8Array.of(3, 4, 5))
  })

  test('a server answers with bytes behind their JSON', async () => {
    const { url } = await serve()
    await using peer = await rawClient(url)
    const frames = framesOf(peer)
    peer.send(sayHello())
    const bytes = [{ at: ['params', 'value'], size: 2 }]
    peer.send({ jsonrpc: '2.0', id: 1, method: 'echo', params: { value: null }, rpc: { bytes } })
    peer.send(binary('0a0b'))
    const data = [{ at: ['params', 'data', '0'], size: 1 }]
    peer.send({
      jsonrpc: '2.0',
      id: 2,
      method: 'fail',
      params: { data: [null] },
      rpc: { bytes: data },
    })
    peer.send(binary('07'))
    await polled(() => frames.slice(1)).toStrictEqual([
      '{"jsonrpc":"2.0","id":1,"result":null,"rpc":{"bytes":[{"at":["result"],"size":2}]}}',
      '#0a0b',
      '{"jsonrpc":"2.0","id":2,"error":{"code":4001,"message":"On purpose","data":[null]},"rpc":{"bytes":[{"at":["error","data","0"],"size":1}]}}',
      '#07',
    ])
  })

  test('an array of messages announces the bytes of each, in order', async () => {
    const { url } = await serve()
    await using peer = await rawClient(url)
    const frames = framesOf(peer)
    peer.send(sayHello())
    const call = (id: number, size: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'echo',
      params: { value: null },
      rpc: { bytes: [{ at: ['params', 'value'], size }] },
    })
    peer.send([
      call(1, 1),
      { jsonrpc: '2.0', id: 2, method: 'echo', params: { value: 0 } },
      call(3, 2),
    ])
    peer.send(binary('01'))
    peer.send(binary('0203'))
    await polled(() => frames.filter((frame) => frame.startsWith('#'))).toStrictEqual([
      '#01',
      '#0203',
    ])
    expect(frames).toHaveLength(6)
  })

  test('JSON goes out in binary frames where it is to, and the hello does not', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url, { frameType: 'binary' })
    const peer = await server.accept()
    expect(await peer.nextJson()).toMatchObject({ params: { frames: 'binary', bytes: true } })
    const frames = framesOf(peer)
    const result = { v: 1, sid: 'abc', resumed: false, spreadMs: 0, bytes: true, limits }
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', result })
    const answer = client.other.echo({ value: Uint8Array.of(9) })
    await polled(() => frames.length).toBe(2)
    expect(Buffer.from(frames[0]?.slice(1) ?? '', 'hex').toString()).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"echo","params":{"value":null},"rpc":{"bytes":[{"at":["params","value"],"size":1}]}}',
    )
    expect(frames[1]).toBe('#09')
    peer.send({ jsonrpc: '2.0', id: 1, result: 'text is read all the same' })
    expect(await answer).toBe('text is read all the same')
  })

  test('JSON in binary frames is read from a plain peer, and from one that says so', async () => {
    const { url } = await serve()
    const ping = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"echo","params":{"value":1}}')
    await using plain = await rawClient(url)
    plain.send(ping)
    expect(await plain.nextJson()).toMatchObject({ id: 1, result: 1 })
    await using extended = await rawClient(url)
    extended.send(sayHello({ frames: 'binary' }))
    await extended.next()
    extended.send(ping)
    expect(await extended.nextJson()).toMatchObject({ id: 1, result: 1 })
    await using older = await rawClient(url)
    older.send(sayHello({ bytes: undefined }))
    await older.next()
    older.send(ping)
    expect(await older.nextJson()).toMatchObject({ id: 1, result: 1 })
  })
})

describe('a peer that breaks the rules', () => {
  let server: Awaited<ReturnType<typeof serve>>
  let peer: RawPeer

  beforeEach(async () => {
    server = await serve({ limits: { message: 10_000 } })
    peer = await rawClient(server.url)
    opened.push(() => peer[Symbol.asyncDispose]())
  })

  const note = (bytes: unknown, params: unknown = { value: null }) => ({
    jsonrpc: '2.0',
    method: 'note',
    params,
    rpc: { bytes },
  })
  const at = ['params', 'value']

  test.each<[string, unknown[]]>([
    ['announces no array', [note({ at, size: 1 })]],
    ['announces null', [note(null)]],
    ['announces something that is no object', [note([1])]],
    ['announces a negative size', [note([{ at, size: -1 }])]],
    ['announces half a byte', [note([{ at, size: 0.5 }])]],
    ['announces a size that is text', [note([{ at, size: '1' }])]],
    ['announces no size', [note([{ at }])]],
    ['announces no place', [note([{ size: 1 }])]],
    ['announces the message itself', [note([{ at: [], size: 1 }])]],
    ['announces a place that is a number', [note([{ at: ['params', 0], size: 1 }], [null])]],
    ['announces a place that is not there', [note([{ at: ['params', 'x', 'y'], size: 1 }])]],
    ['announces a place that is not null', [note([{ at, size: 1 }], { value: 0 })]],
    [
      'announces a place twice',
      [
        note([
          { at, size: 1 },
          { at, size: 1 },
        ]),
      ],
    ],
    ['announces an inherited place', [note([{ at: ['params', '__proto__'], size: 1 }])]],
    ['announces its id', [{ ...note([{ at: ['id'], size: 1 }]), id: null }]],
    ['announces its announcement', [note([{ at: ['rpc', 'x'], size: 1 }])]],
    ['sends text in place of bytes', [note([{ at, size: 2 }]), 'ab']],
    [
      'sends another message before the bytes',
      [note([{ at, size: 2 }]), { jsonrpc: '2.0', method: 'note', params: {} }],
    ],
    ['sends fewer bytes', [note([{ at, size: 2 }]), binary('01')]],
    ['sends more bytes', [note([{ at, size: 2 }]), binary('010203')]],
    ['sends bytes that nobody announced', [binary('01')]],
    [
      'sends JSON as bytes that nobody announced',
      [Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'note', params: { value: 1 } }))],
    ],
  ])('by one that %s, the connection ends with 4400', async (_, frames) => {
    peer.send(sayHello())
    await peer.next()
    for (const frame of frames) peer.send(frame)
    expect(await peer.closed).toMatchObject({
      code: 4400,
      reason: expect.stringMatching(/^The protocol was broken: /),
    })
    expect(server.errors[0]).toBeInstanceOf(RpcProtocolError)
    expect(server.noted).toStrictEqual([])
  })

  test('more bytes than were announced end it too, after the message has come', async () => {
    peer.send(sayHello())
    peer.send(note([{ at, size: 1 }]))
    peer.send(binary('01'))
    peer.send(binary('02'))
    expect(await peer.closed).toMatchObject({ code: 4400 })
    expect(server.noted).toStrictEqual([Uint8Array.of(1)])
  })

  test('bytes out of turn from one whose messages are binary end it where they are no JSON', async () => {
    peer.send(sayHello({ frames: 'binary' }))
    peer.send(binary('ff'))
    expect(await peer.closed).toMatchObject({ code: 4400 })
  })

  test.each([
    ['is a plain peer', undefined],
    ['did not say that it takes bytes', sayHello({ bytes: undefined })],
    ['said so in other words', sayHello({ bytes: 'yes' })],
  ])('one that announces bytes and %s is sent away', async (_, first) => {
    if (first) peer.send(first)
    peer.send(note([{ at, size: 1 }]))
    expect(await peer.closed).toMatchObject({ code: 4400 })
    expect(server.noted).toStrictEqual([])
  })

  test('a message over the limit ends it with 1009 before its bytes have come', async () => {
    peer.send(sayHello())
    await peer.next()
    const value = Array.from({ length: 4 }, () => null)
    peer.send(
      note(
        value.map((_, n) => ({ at: [...at, `${n}`], size: 2_490 })),
        { value },
      ),
    )
    expect(await peer.closed).toMatchObject({ code: 1009 })
  })

  test('sizes that add up to more than can be counted end it', async () => {
    peer.send(sayHello())
    const size = Number.MAX_SAFE_INTEGER
    peer.send(
      note(
        [
          { at: ['params', 'a'], size },
          { at: ['params', 'b'], size },
        ],
        { a: null, b: null },
      ),
    )
    expect(await peer.closed).toMatchObject({ code: 4400 })
  })

  test('a connection that ends in the middle of a message delivers nothing of it', async () => {
    peer.send(sayHello())
    await peer.next()
    peer.send({ jsonrpc: '2.0', method: 'note', params: { value: 'before' } })
    peer.send(
      note(
        [
          { at: ['params', 'a'], size: 1 },
          { at: ['params', 'b'], size: 1 },
        ],
        { a: null, b: null },
      ),
    )
    peer.send(binary('01'))
    peer.socket.close()
    await peer.closed
    await polled(() => server.endpoint.channels.size).toBe(0)
    expect(server.noted).toStrictEqual(['before'])
    expect(server.errors).toStrictEqual([])
  })

  test('no member of a prototype is written, whatever is announced', async () => {
    peer.send(sayHello())
    await peer.next()
    const own =
      '{"jsonrpc":"2.0","method":"note","params":{"value":{"__proto__":{"x":null}}},"rpc":{"bytes":[{"at":["params","value","__proto__","x"],"size":1}]}}'
    peer.send(own)
    peer.send(binary('01'))
    await polled(() => server.noted.length).toBe(1)
    expect(Object.getOwnPropertyDescriptor(server.noted[0], '__proto__')?.value).toStrictEqual({
      x: Uint8Array.of(1),
    })
    expect(({} as { x?: unknown }).x).toBe(undefined)
  })
})

describe('the limit of a message', () => {
  test('counts its bytes: a call over it is not sent', async () => {
    const { url } = await serve({ limits: { message: 10_000 } })
    const { other } = connect(url)
    expect(await other.echo({ value: someBytes(9_000) })).toHaveLength(9_000)
    const thrown = await rejection(other.echo({ value: [someBytes(5_000), someBytes(5_000)] }))
    expect(thrown).toBeInstanceOf(RpcOverloadedError)
    expect(thrown).toMatchObject({ outcome: 'not-sent', method: 'echo' })
  })

  test('counts the bytes of answers: one over it becomes an error', async () => {
    const { url } = await serve()
    const { other } = connect(url, { limits: { message: 10_000 } })
    expect(
      await rejection(other.echo({ value: [someBytes(5_000), someBytes(5_000)] })),
    ).toMatchObject({ code: -32003 })
    expect(await other.echo({ value: someBytes(9_000) })).toHaveLength(9_000)
  })

  test('counts bytes that wait for a connection', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url, { limits: { queuedBytes: 10_000 } })
    const waiting = [4_000, 5_000].map((size) =>
      rejection(client.other.echo({ value: someBytes(size) })),
    )
    const thrown = await rejection(client.other.echo({ value: someBytes(1_000) }))
    expect(thrown).toBeInstanceOf(RpcOverloadedError)
    expect(client.state.queued).toBe(2)
    await client.close()
    expect(await Promise.all(waiting)).toMatchObject([
      { outcome: 'not-sent' },
      { outcome: 'not-sent' },
    ])
  })
})

describe('before it is known what the other side takes', () => {
  test('bytes wait as they were when the call was made', async () => {
    const { url } = await serve()
    const client = connect(url)
    const value = someBytes(10)
    const answer = client.other.echo({ value })
    value.fill(0)
    expect(await answer).toStrictEqual(someBytes(10))
  })

  test('bytes that a plain server turns out not to take are refused, and the rest goes', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url)
    const refused = rejection(client.other.echo({ value: [1, { file: someBytes(3) }] }))
    const noted = rejection(client.other.note({ value: someBytes(3) }))
    const served = client.other.echo({ value: 'text' })
    const peer = await server.acceptPlain()
    const frames = framesOf(peer)
    const thrown = await refused
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({
      outcome: 'not-sent',
      method: 'echo',
      issues: [{ path: ['value', '1', 'file'] }],
      message: `"echo" was not sent: params.value.1.file is a Uint8Array, which the other side can't take: it speaks plain JSON-RPC 2.0. Send them as text, or have flashrpc on the other side too`,
    })
    expect(await noted).toMatchObject({ outcome: 'not-sent', method: 'note' })
    await polled(() => frames.length).toBe(1)
    const { id } = JSON.parse(frames[0] as string)
    peer.send({ jsonrpc: '2.0', id, result: 'done' })
    expect(await served).toBe('done')
  })
})

describe('to a plain peer', () => {
  test('an answer that has bytes becomes an error that says so, in a batch too', async () => {
    const errors: Error[] = []
    const endpoint = createEndpoint<{ file(): unknown; ping(): string }>({
      methods: { file: () => ({ content: someBytes(3) }), ping: () => 'pong' },
      onError: [(_, error) => errors.push(error as Error)],
    })
    opened.push(() => endpoint.close())
    await using peer = await rawClient((await endpoint.listen()).url)
    const file = { jsonrpc: '2.0', id: 1, method: 'file' }
    const refusal = {
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32603,
        message: `result.content in the answer of "file" is a Uint8Array, which the other side can't take: it speaks plain JSON-RPC 2.0`,
      },
    }
    peer.send(file)
    expect(await peer.nextJson()).toStrictEqual(refusal)
    peer.send([file, { jsonrpc: '2.0', id: 2, method: 'ping' }])
    expect(await peer.nextJson()).toStrictEqual([
      refusal,
      { jsonrpc: '2.0', id: 2, result: 'pong' },
    ])
    expect(errors.map((error) => error.constructor)).toStrictEqual([
      RpcValidationError,
      RpcValidationError,
    ])
  })
})

describe('a connection that is lost', () => {
  test('while bytes are on their way leaves the call open to doubt, once', async () => {
    const { endpoint, url } = await serve({ limits: { message: 64 * 1024 * 1024 } })
    const client = connect(url, { limits: { message: 64 * 1024 * 1024 } })
    await client.connect()
    const cut = rejection(client.other.hang())
    const large = rejection(
      client.other
        .note({ value: someBytes(1024) })
        .then(() => client.other.echo({ value: someBytes(8 * 1024 * 1024) })),
    )
    const [channel] = endpoint.channels
    await polled(() => client.state.inFlight).toBe(2)
    await channel?.close(4000)
    expect(await cut).toBeInstanceOf(RpcDisconnectedError)
    const thrown = await large
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    expect(thrown).toMatchObject({ outcome: 'maybe-executed' })
    expect(await client.other.echo({ value: someBytes(5) })).toStrictEqual(someBytes(5))
  })
})

test('raw memory of another realm is refused, and not carried as nothing', async () => {
  const { url } = await serve()
  const client = connect(url)
  for (const kind of ['ArrayBuffer', 'SharedArrayBuffer']) {
    const value = runInNewContext(`new ${kind}(2)`)
    const thrown = await rejection(client.other.echo({ value: { in: [value] } }))
    expect(thrown).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining(
        `params.value.in.0 is ${kind[0] === 'A' ? 'an' : 'a'} ${kind}`,
      ),
    })
  }
})

interface Keeper {
  keep(params: { bytes: Uint8Array }): void
}

describe('what a handler is given', () => {
  test('is its own, also where both ends share their memory', async () => {
    const [left, right] = memoryTransportPair()
    const kept: Uint8Array[] = []
    createChannel<Keeper, Record<never, never>>({
      side: 'server',
      transport: left,
      methods: { keep: ({ bytes }) => void kept.push(bytes) },
    })
    const channel = createChannel<Record<never, never>, Keeper>({
      side: 'client',
      transport: right,
    })
    const bytes = Buffer.from([1, 2, 3])
    await channel.other.keep({ bytes })
    bytes.fill(0)
    await channel.other.keep({ bytes })
    expect(kept).toStrictEqual([Uint8Array.of(1, 2, 3), new Uint8Array(3)])
    await channel.close()
  })

  test('is params that are bytes and nothing else, where the caller likes', async () => {
    const endpoint = createEndpoint<{ size(params: Uint8Array): number }>({
      methods: { size: (bytes) => bytes.byteLength },
    })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const client = createClient<{ size(params: Uint8Array): number }>({ url })
    opened.push(() => client.close())
    expect(await client.other.size(someBytes(12))).toBe(12)
  })
})
