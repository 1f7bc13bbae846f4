import { type Client, createClient, type RpcError, RpcProtocolError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Methods {
  subtract(params: number[] | { minuend: number; subtrahend: number }): number
  sum(params: number[]): number
  get_data(): unknown[]
  update(params: number[]): void
  notify_hello(params: number[]): void
  notify_sum(params: number[]): void
  echo(params: unknown): unknown
  nothing(): void
  slow(): Promise<string>
  ping(): string
}

/** What the notifications told. */
let heard: unknown[] = []
let release: () => void = () => {}

const methods = {
  subtract: (params: number[] | { minuend: number; subtrahend: number }): number =>
    Array.isArray(params)
      ? (params[0] as number) - (params[1] as number)
      : params.minuend - params.subtrahend,
  sum: (params: number[]): number => params.reduce((a, b) => a + b, 0),
  get_data: () => ['hello', 5],
  update: (params: number[]): void => void heard.push(params),
  notify_hello: (params: number[]): void => void heard.push(params),
  notify_sum: (params: number[]): void => void heard.push(params),
  echo: (params: unknown) => params,
  nothing: () => {},
  slow: () =>
    new Promise<string>((resolve) => {
      release = () => resolve('slept')
    }),
  ping: () => 'pong',
}

const message = expect.any(String)
const failed = (code: number, id: unknown) => ({ jsonrpc: '2.0', error: { code, message }, id })
/** An error to send, where `failed` is one to expect. */
const failing = (code: number, id: unknown) => ({
  ...failed(code, id),
  error: { code, message: 'no' },
})
const done = (result: unknown, id: unknown) => ({ jsonrpc: '2.0', result, id })
const NOTHING = Symbol('nothing is answered')

/** Section 7 of the specification, in its order. Texts of errors are ours; the rest is to the letter. */
const examples: { name: string; send: string; answer: unknown; heard?: unknown[] }[] = [
  {
    name: 'positional parameters',
    send: '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    answer: done(19, 1),
  },
  {
    name: 'positional parameters, the other way round',
    send: '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
    answer: done(-19, 2),
  },
  {
    name: 'named parameters',
    send: '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    answer: done(19, 3),
  },
  {
    name: 'named parameters, in another order',
    send: '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
    answer: done(19, 4),
  },
  {
    name: 'a notification',
    send: '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}',
    answer: NOTHING,
    heard: [[1, 2, 3, 4, 5]],
  },
  {
    name: 'a notification that nobody knows',
    send: '{"jsonrpc": "2.0", "method": "foobar"}',
    answer: NOTHING,
    heard: [],
  },
  {
    name: 'a non-existent method',
    send: '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    answer: failed(-32601, '1'),
  },
  {
    name: 'invalid JSON',
    send: '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
    answer: failed(-32700, null),
  },
  {
    name: 'an invalid request object',
    send: '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
    answer: failed(-32600, null),
  },
  {
    name: 'a batch of invalid JSON',
    send: `[
      {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method"
    ]`,
    answer: failed(-32700, null),
  },
  { name: 'an empty array', send: '[]', answer: failed(-32600, null) },
  {
    name: 'an invalid batch that is not empty',
    send: '[1]',
    answer: [failed(-32600, null)],
  },
  {
    name: 'an invalid batch',
    send: '[1,2,3]',
    answer: [failed(-32600, null), failed(-32600, null), failed(-32600, null)],
  },
  {
    name: 'a batch of many kinds',
    send: `[
      {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
      {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]`,
    answer: [
      done(7, '1'),
      done(19, '2'),
      failed(-32600, null),
      failed(-32601, '5'),
      done(['hello', 5], '9'),
    ],
    heard: [[7]],
  },
  {
    name: 'a batch of notifications only',
    send: `[
      {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]`,
    answer: NOTHING,
    heard: [[1, 2, 4], [7]],
  },
]

/** Each way: who is called is ours, who calls is a raw peer. */
const directions = [
  {
    direction: 'a plain client calls our server',
    async open() {
      const endpoint = createEndpoint<Methods>({ methods })
      const peer = await rawClient((await endpoint.listen()).url)
      return { peer, close: () => endpoint.close() }
    },
  },
  {
    direction: 'a plain server calls our client',
    async open() {
      const server = await RawServer.listen()
      const client = createClient<Record<never, never>, Methods>({ url: server.url, methods })
      const peer = await server.acceptPlain()
      const close = async () => {
        await client.close()
        await server[Symbol.asyncDispose]()
      }
      return { peer, close }
    },
  },
]

describe.each(directions)('$direction', ({ open }) => {
  let peer: RawPeer
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    peer = opened.peer
    close = async () => {
      await peer[Symbol.asyncDispose]()
      await opened.close()
    }
  })

  afterAll(() => close())

  /** All that was answered before a later call's answer came. */
  async function answers(): Promise<unknown[]> {
    peer.send({ jsonrpc: '2.0', method: 'ping', id: 'last' })
    const all: unknown[] = []
    for (;;) {
      const answer = await peer.nextJson()
      if (answer.id === 'last') return all
      all.push(answer)
    }
  }

  test.each(examples)('$name', async ({ send, answer, heard: expected }) => {
    heard = []
    peer.send(send)
    // A batch's answer waits for all of its messages, and may come after that of a later call.
    if (answer !== NOTHING) expect(await peer.nextJson()).toStrictEqual(answer)
    expect(await answers()).toStrictEqual([])
    if (expected) expect(heard).toStrictEqual(expected)
  })

  test.each([
    ['an integer', '7'],
    ['a string', '"7"'],
    ['an empty string', '""'],
    ['zero', '0'],
    ['a negative number', '-7'],
    ['a fraction', '1.5'],
    ['null', 'null'],
    ['the name of a member of every object', '"__proto__"'],
    ['the id of our own hello', '"rpc:1"'],
  ])('echoes an id that is %s exactly', async (_, id) => {
    peer.send(`{"jsonrpc":"2.0","method":"ping","id":${id}}`)
    expect(await peer.next()).toBe(`{"jsonrpc":"2.0","id":${id},"result":"pong"}`)
  })

  test.each(['true', '{}', '[1]', '1e999'])('refuses %s as an id', async (id) => {
    peer.send(`{"jsonrpc":"2.0","method":"ping","id":${id}}`)
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, null))
  })

  test.each(['"text"', '1', 'null', 'true'])('refuses %s as params', async (params) => {
    peer.send(`{"jsonrpc":"2.0","method":"echo","id":1,"params":${params}}`)
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, 1))
  })

  test.each(['"1.0"', '2', 'null'])('refuses %s as a version', async (version) => {
    peer.send(`{"jsonrpc":${version},"method":"ping","id":1}`)
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, 1))
  })

  test('refuses a message without a version', async () => {
    peer.send({ method: 'ping', id: 1 })
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, 1))
  })

  test.each(['null', '1', '"text"', 'true', '{}'])('refuses %s as a message', async (text) => {
    peer.send(text)
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, null))
  })

  test('answers calls with the ids 1 and "1" each on its own', async () => {
    peer.send({ jsonrpc: '2.0', method: 'slow', id: 1 })
    peer.send({ jsonrpc: '2.0', method: 'ping', id: '1' })
    expect(await peer.nextJson()).toStrictEqual(done('pong', '1'))
    release()
    expect(await peer.nextJson()).toStrictEqual(done('slept', 1))
  })

  test('refuses a second call with the id of a running one, which goes on', async () => {
    peer.send({ jsonrpc: '2.0', method: 'slow', id: 'twice' })
    peer.send({ jsonrpc: '2.0', method: 'ping', id: 'twice' })
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, 'twice'))
    release()
    expect(await peer.nextJson()).toStrictEqual(done('slept', 'twice'))
    peer.send({ jsonrpc: '2.0', method: 'ping', id: 'twice' })
    expect(await peer.nextJson()).toStrictEqual(done('pong', 'twice'))
  })

  test('runs a batch of 100', async () => {
    peer.send(Array.from({ length: 100 }, (_, id) => ({ jsonrpc: '2.0', method: 'ping', id })))
    expect(await peer.nextJson()).toHaveLength(100)
  })

  test('refuses a batch of 101 as a whole, and runs none of it', async () => {
    heard = []
    peer.send(Array.from({ length: 101 }, () => ({ jsonrpc: '2.0', method: 'update', params: [] })))
    expect(await peer.nextJson()).toStrictEqual(failed(-32600, null))
    expect(await answers()).toStrictEqual([])
    expect(heard).toStrictEqual([])
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'then',
    'toJSON',
    '_x',
    '',
    'rpc.x',
    'rpc.',
  ])('knows no method "%s"', async (method) => {
    peer.send({ jsonrpc: '2.0', method, id: 1 })
    expect(await peer.nextJson()).toStrictEqual(failed(-32601, 1))
  })

  test('hands on params with a __proto__ of their own as they are', async () => {
    const text = '{"__proto__":{"admin":true},"a":1}'
    peer.send(`{"jsonrpc":"2.0","method":"echo","id":1,"params":${text}}`)
    expect(await peer.next()).toBe(`{"jsonrpc":"2.0","id":1,"result":${text}}`)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('answers undefined as null', async () => {
    peer.send({ jsonrpc: '2.0', method: 'nothing', id: 1 })
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","id":1,"result":null}')
  })

  test('answers JSON in a binary frame', async () => {
    peer.send(new TextEncoder().encode('{"jsonrpc":"2.0","method":"ping","id":1}'))
    expect(await peer.nextJson()).toStrictEqual(done('pong', 1))
  })

  test('refuses a binary frame that is no UTF-8, and goes on', async () => {
    peer.send(new Uint8Array([0x22, 0xff, 0xfe, 0x22]))
    expect(await peer.nextJson()).toStrictEqual(failed(-32700, null))
    expect(await answers()).toStrictEqual([])
  })

  test('ignores answers to calls it never made', async () => {
    peer.send(done('hello', 'rpc:1x'))
    peer.send(done(1, 1))
    peer.send(failing(-32000, 99))
    peer.send({ jsonrpc: '2.0', error: { code: 1, message: 'x' }, id: null })
    peer.send({ jsonrpc: '2.0', result: 1 })
    peer.send({ jsonrpc: '2.0', result: 1, error: { code: 1, message: 'x' }, id: 4 })
    peer.send([done(1, 1), done(2, 2)])
    expect(await answers()).toStrictEqual([])
  })
})

/** Each way: who calls is ours, who is called is a raw peer. */
const calling = [
  {
    direction: 'our client calls a plain server',
    async open() {
      const server = await RawServer.listen()
      const client = createClient<Methods>({ url: server.url })
      const peer = await server.acceptPlain()
      const close = async () => {
        await client.close()
        await server[Symbol.asyncDispose]()
      }
      return { channel: client as Pick<Client<object, Methods>, 'call' | 'notify'>, peer, close }
    },
  },
  {
    direction: 'our server calls a plain client',
    async open() {
      const endpoint = createEndpoint<Record<never, never>, Methods>({ methods: {} })
      const peer = await rawClient((await endpoint.listen()).url)
      // Any first frame but a hello makes it a plain peer's connection.
      peer.send({ jsonrpc: '2.0', method: 'anything' })
      await eventually(() => expect([...endpoint.channels][0]?.isConnected).toBe(true))
      const channel = [...endpoint.channels][0] as Pick<Client<object, Methods>, 'call' | 'notify'>
      const close = async () => {
        await peer[Symbol.asyncDispose]()
        await endpoint.close()
      }
      return { channel, peer, close }
    },
  },
]

describe.each(calling)('$direction', ({ open }) => {
  let channel: Pick<Client<object, Methods>, 'call' | 'notify'>
  let peer: RawPeer
  let close: () => Promise<void>

  beforeAll(async () => {
    ;({ channel, peer, close } = await open())
  })

  afterAll(() => close())

  /** Begins a call, and answers it with what `answer` makes of its id. */
  async function callAnswered(answer: (id: number) => unknown): Promise<unknown> {
    const calling = channel.call('get_data')
    calling.catch(() => {})
    const { id } = await peer.nextJson()
    peer.send(answer(id))
    return calling
  }

  test('writes a call with named params, and no more than JSON-RPC 2.0 has', async () => {
    const calling = channel.call('subtract', { minuend: 42, subtrahend: 23 })
    const request = await peer.nextJson()
    expect(request).toStrictEqual({
      jsonrpc: '2.0',
      id: expect.any(Number),
      method: 'subtract',
      params: { minuend: 42, subtrahend: 23 },
    })
    peer.send(done(19, request.id))
    expect(await calling).toBe(19)
  })

  test('writes positional params as an array', async () => {
    const calling = channel.call('subtract', [42, 23])
    const request = await peer.nextJson()
    expect(request.params).toStrictEqual([42, 23])
    peer.send(done(19, request.id))
    expect(await calling).toBe(19)
  })

  test('writes a notification without an id, and no params where there are none', async () => {
    await channel.notify('get_data')
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","method":"get_data"}')
  })

  test('rejects with the code, the message and the data of an error', async () => {
    const error = { code: -32601, message: 'Method not found', data: { why: [1] } }
    const thrown = await rejection(callAnswered((id) => ({ jsonrpc: '2.0', id, error })))
    expect(thrown).toMatchObject(error)
    expect((thrown as RpcError).method).toBe('get_data')
  })

  test('matches answers by their ids, whatever their order', async () => {
    const first = channel.call('sum', [1])
    const second = channel.call('sum', [2])
    const [{ id: one }, { id: two }] = [await peer.nextJson(), await peer.nextJson()]
    peer.send(done('two', two))
    peer.send(done('one', one))
    expect(await Promise.all([first, second])).toStrictEqual(['one', 'two'])
  })

  test('takes answers out of a batch', async () => {
    const first = channel.call('sum', [1])
    const second = channel.call('sum', [2])
    const [{ id: one }, { id: two }] = [await peer.nextJson(), await peer.nextJson()]
    peer.send([done('two', two), failing(5, one)])
    expect(await second).toBe('two')
    expect(await rejection(first)).toMatchObject({ code: 5 })
  })

  test('does not take the id "1" for 1', async () => {
    const answer = (id: number) => [done('wrong', String(id)), done('right', id)]
    expect(await callAnswered(answer)).toBe('right')
  })

  test('takes the first of two answers', async () => {
    expect(await callAnswered((id) => [done('first', id), done('second', id)])).toBe('first')
    expect(await callAnswered((id) => done('another', id))).toBe('another')
  })

  test.each<[string, (id: number) => unknown]>([
    ['both a result and an error', (id) => ({ ...done(1, id), ...failing(1, id) })],
    ['neither', (id) => ({ jsonrpc: '2.0', id })],
    ['no version', (id) => ({ id, result: 1 })],
    ['another version', (id) => ({ jsonrpc: '1.0', id, result: 1 })],
    ['an error that is text', (id) => ({ jsonrpc: '2.0', id, error: 'no' })],
    ['an error that is null', (id) => ({ jsonrpc: '2.0', id, error: null })],
    ['an error without a code', (id) => ({ jsonrpc: '2.0', id, error: { message: 'no' } })],
    ['a fractional code', (id) => ({ jsonrpc: '2.0', id, error: { code: 1.5, message: 'no' } })],
    ['an error without a message', (id) => ({ jsonrpc: '2.0', id, error: { code: 1 } })],
  ])('rejects the call alone where an answer has %s', async (_, answer) => {
    const other = channel.call('ping')
    const { id } = await peer.nextJson()
    expect(await rejection(callAnswered(answer))).toBeInstanceOf(RpcProtocolError)
    peer.send(done('pong', id))
    expect(await other).toBe('pong')
  })
})

test('an answer with the id of a hello means nothing to a server', async () => {
  await using endpoint = createEndpoint<Methods>({ methods })
  await using peer = await rawClient((await endpoint.listen()).url)
  peer.send({ jsonrpc: '2.0', id: 'rpc:1', result: {} })
  peer.send({ jsonrpc: '2.0', id: 1, method: 'ping' })
  expect(await peer.nextJson()).toStrictEqual(done('pong', 1))
})

test('a call that was not sent yet cannot be answered', async () => {
  await using server = await RawServer.listen()
  await using client = createClient<Methods>({ url: server.url })
  const calling = client.call('ping')
  const peer = await server.accept()
  const { id } = await peer.nextJson()
  peer.send(done('forged', 1))
  peer.send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
  const request = await peer.nextJson()
  peer.send(done('pong', request.id))
  expect(await calling).toBe('pong')
  expect(client.state).toMatchObject({ inFlight: 0, queued: 0 })
})

test('messages that share a frame are answered one by one where both sides are extended', async () => {
  await using endpoint = createEndpoint<Methods>({ methods })
  await using peer = await rawClient((await endpoint.listen()).url)
  const params = { v: 1, attempt: 1, codec: 'json', limits: { msg: 1024 } }
  peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
  await peer.nextJson()
  peer.send([
    { jsonrpc: '2.0', method: 'slow', id: 1 },
    { jsonrpc: '2.0', method: 'ping', id: 2 },
  ])
  expect(await peer.nextJson()).toStrictEqual(done('pong', 2))
  release()
  expect(await peer.nextJson()).toStrictEqual(done('slept', 1))
})
