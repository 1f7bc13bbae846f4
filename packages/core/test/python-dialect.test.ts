import {
  type Channel,
  type ChannelHooks,
  createChannel,
  defineContract,
  memoryTransportPair,
  method,
  notification,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  type SomeHandlers,
} from '@flashrpc/core'
import { pythonDialect } from '@flashrpc/core/python'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { RawEnd, settled } from './support/raw-end.js'
import { rejection } from './support/rejection.js'

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    reset: method({ result: z.void() }),
    tell: notification({ params: z.object({ text: z.string() }) }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.string() }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
type ServerSide = (typeof contract)['server']
type ClientSide = (typeof contract)['client']

/** As a program sees it that has no contract. */
interface Anything {
  add(params: unknown): unknown
  echo(params: { value: unknown }): unknown
  _secret(params: object): unknown
  _get_channel_id_(): string
}

const callId = expect.stringMatching(/^[0-9a-f]{32}$/)

function request(name: unknown, args: unknown, call_id: unknown = 'c1') {
  return { request: { method: name, arguments: args, call_id }, response: null }
}

function response(result: unknown, result_type: unknown, call_id: unknown = 'c1') {
  return { request: null, response: { result, result_type, call_id } }
}

/** A client of ours whose peer is a Python server, written by hand; it is connected. */
async function client() {
  const [left, right] = memoryTransportPair()
  const python = new RawEnd(right)
  const errors: unknown[] = []
  const channel = createChannel(contract, {
    side: 'client',
    transport: left,
    dialect: pythonDialect(),
    onError: [(_, error) => errors.push(error)],
    methods: {
      confirm: ({ text }) => {
        if (text === 'fail') throw new Error('a secret')
        return `${text}: yes`
      },
      notify: () => {},
    },
  })
  await settled()
  const [ping] = python.take()
  await python.send(response('pong', 'str', ping.request.call_id))
  expect(channel.isConnected).toBe(true)
  return { channel, python, errors }
}

/** A server of ours, and one end of the connection to it, which has said nothing yet. */
function server(
  options: ChannelHooks<Channel<ServerSide, ClientSide>> & { helloTimeoutMs?: number } = {},
) {
  const [left, right] = memoryTransportPair()
  const peer = new RawEnd(right)
  const errors: unknown[] = []
  const told: unknown[] = []
  const methods: SomeHandlers<ServerSide, Channel<ServerSide, ClientSide>> = {
    add: ({ a, b }) => a + b,
    reset: () => {},
    tell: ({ text }) => void told.push(text),
  }
  const channel = createChannel(contract, {
    side: 'server',
    transport: left,
    dialect: pythonDialect(),
    methods,
    ...options,
    onError: [(_, error) => errors.push(error)],
  })
  return { channel, peer, errors, told, cut: () => right.close(1006) }
}

describe('a client of a Python server', () => {
  test('first asks what Python clients ask, and is connected when that is answered', async () => {
    const [left, right] = memoryTransportPair()
    const python = new RawEnd(right)
    const channel = createChannel(contract, {
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
    })
    await settled()
    const [ping] = python.take()
    expect(ping).toEqual(request('_ping_', {}, callId))
    expect(channel.isConnected).toBe(false)
    await python.send(response('pong', 'str', ping.request.call_id))
    expect(channel.isConnected).toBe(true)
    expect(python.came).toEqual([])
  })

  test('calls with arguments by name, and gives the result as the value', async () => {
    const { channel, python } = await client()
    const sum = channel.other.add({ a: 5, b: 10 })
    await settled()
    const [frame] = python.take()
    expect(frame).toEqual(request('add', { a: 5, b: 10 }, callId))
    await python.send(response(15, 'int', frame.request.call_id))
    expect(await sum).toBe(15)
  })

  test('gives each call an id of its own', async () => {
    const { channel, python } = await client()
    const sums = [channel.other.add({ a: 1, b: 1 }), channel.other.add({ a: 2, b: 2 })]
    await settled()
    const ids = python.take().map((frame) => frame.request.call_id)
    expect(new Set(ids).size).toBe(2)
    await python.send(response(4, 'int', ids[1]))
    await python.send(response(2, 'int', ids[0]))
    expect(await Promise.all(sums)).toEqual([2, 4])
  })

  test('sends a notification as a call whose answer is ignored', async () => {
    const { channel, python, errors } = await client()
    await channel.other.tell({ text: 'hi' })
    await settled()
    const [frame] = python.take()
    expect(frame).toEqual(request('tell', { text: 'hi' }, callId))
    await python.send(response(null, 'unknown-type', frame.request.call_id))
    expect(errors).toEqual([])
    expect(python.came).toEqual([])
  })

  test.each([
    ['null', (id: string) => response(null, 'unknown-type', id)],
    ['absent', (id: string) => ({ response: { result_type: null, call_id: id } })],
  ])('takes a result that is %s for none', async (_, answer) => {
    const { channel, python } = await client()
    const done = channel.other.reset()
    await settled()
    const [frame] = python.take()
    expect(frame).toEqual(request('reset', {}, callId))
    await python.send(answer(frame.request.call_id))
    expect(await done).toBeUndefined()
  })

  test.each([
    ['of nobody', response(1, 'int', 'ffff')],
    ['without an id', response(1, 'int', null)],
    ['with an id that is a number', response(1, 'int', 1)],
    ['that is nothing', { request: null, response: null }],
    ['with neither member', {}],
    ['with members of other kinds', { request: null, response: 5, more: true }],
  ])('ignores an answer %s', async (_, frame) => {
    const { channel, python, errors } = await client()
    const sum = channel.other.add({ a: 5, b: 10 })
    await settled()
    const [call] = python.take()
    await python.send(frame)
    await python.send(response(15, 'int', call.request.call_id))
    expect(await sum).toBe(15)
    expect(errors).toEqual([])
  })

  test('sends nothing where params are positional, and says how they would do', async () => {
    const [left, right] = memoryTransportPair()
    const python = new RawEnd(right)
    const errors: unknown[] = []
    const channel = createChannel<object, Anything>({
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
      onError: [(_, error) => errors.push(error)],
    })
    await settled()
    await python.send(response('pong', 'str', python.take()[0].request.call_id))
    const error = await rejection(channel.call('add', [5, 10]))
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ code: -32602, method: 'add' })
    expect(String(error)).toMatch(/"add" was not sent: .*by name/)
    expect(await rejection(channel.call('_secret', {}))).toMatchObject({ code: -32601 })
    await channel.notify('add', [5, 10])
    await settled()
    expect(errors).toMatchObject([{ code: -32602, method: 'add' }])
    expect(python.came).toEqual([])
  })

  test('can ask for what every Python peer has', async () => {
    const [left, right] = memoryTransportPair()
    const python = new RawEnd(right)
    const channel = createChannel<object, Anything>({
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
    })
    await settled()
    await python.send(response('pong', 'str', python.take()[0].request.call_id))
    const id = channel.call('_get_channel_id_')
    await settled()
    const [frame] = python.take()
    expect(frame).toEqual(request('_get_channel_id_', {}, callId))
    await python.send(response('abc', 'str', frame.request.call_id))
    expect(await id).toBe('abc')
  })

  test('sends nothing where a value is bytes', async () => {
    const [left, right] = memoryTransportPair()
    const python = new RawEnd(right)
    const channel = createChannel<object, Anything>({
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
    })
    await settled()
    await python.send(response('pong', 'str', python.take()[0].request.call_id))
    const error = await rejection(channel.call('echo', { value: new Uint8Array([1]) }))
    expect(error).toMatchObject({ outcome: 'not-sent', code: -32007 })
    expect(python.came).toEqual([])
  })

  test('says nothing of a call that is given up', async () => {
    const { channel, python } = await client()
    const giveUp = new AbortController()
    const sum = rejection(channel.other.add({ a: 5, b: 10 }, { signal: giveUp.signal }))
    await settled()
    giveUp.abort()
    expect(await sum).toMatchObject({ outcome: 'maybe-executed' })
    await settled()
    expect(python.take()).toEqual([request('add', { a: 5, b: 10 }, callId)])
  })

  test('is called, and answers with the name of the type in Python', async () => {
    const { python } = await client()
    await python.send(request('confirm', { text: 'go?' }))
    expect(python.take()).toEqual([response('go?: yes', 'str')])
  })

  test('says what may have been the reason where the connection is dropped under its calls', async () => {
    const [left, right] = memoryTransportPair()
    const python = new RawEnd(right)
    const channel = createChannel(contract, {
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
    })
    await settled()
    await python.send(response('pong', 'str', python.take()[0].request.call_id))
    const sum = rejection(channel.other.add({ a: 5, b: 10 }))
    await settled()
    right.close(1006)
    const error = await sum
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed', closeCode: 1006 })
    expect(String(error)).toMatch(/a method is unknown, lacks an argument or raises; its log/)
  })

  test('keeps alive with their ping where it is told to and the wire has none', async () => {
    for (const keepAlive of [true, false]) {
      const [left, right] = memoryTransportPair()
      const python = new RawEnd(right)
      const closed: number[] = []
      const channel = createChannel(contract, {
        side: 'client',
        // As a browser's WebSocket: it can stall, and can't be pinged.
        transport: {
          reliable: false,
          start: (events) => left.start(events),
          send: (frame) => left.send(frame),
          close: (code, reason) => left.close(code, reason),
        },
        dialect: pythonDialect({ keepAlive }),
        heartbeat: { intervalMs: 20, timeoutMs: 1_000 },
        onDisconnect: [(_, { code }) => closed.push(code)],
      })
      await settled()
      await python.send(response('pong', 'str', python.take()[0].request.call_id))
      if (keepAlive) {
        for (let n = 0; n < 3; n++) {
          await polled(() => python.came.length > 0).toBe(true)
          const [ping] = python.take()
          expect(ping).toEqual(request('_ping_', {}, callId))
          await python.send(response('pong', 'str', ping.request.call_id))
        }
        // From now on it is dead.
        await polled(() => closed).toEqual([4408])
      } else {
        await new Promise((resolve) => setTimeout(resolve, 100))
        expect(python.came).toEqual([])
        expect(channel.isConnected).toBe(true)
      }
      await channel.close()
    }
  })

  test('ends the connection where the other side speaks JSON-RPC, and says what to leave out', async () => {
    const [left, right] = memoryTransportPair()
    const peer = new RawEnd(right)
    const closed: unknown[] = []
    const errors: unknown[] = []
    createChannel(contract, {
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
      onError: [(_, error) => errors.push(error)],
    })
    await settled()
    await peer.send({ jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Invalid' } })
    closed.push(...peer.closed)
    expect(closed).toMatchObject([
      { code: 4400, reason: expect.stringContaining('leave `dialect`') },
    ])
    expect(String(errors[0])).toContain('leave `dialect` out')
  })

  test('sends binary frames where it is told to', async () => {
    const [left, right] = memoryTransportPair()
    const frames: unknown[] = []
    right.start({ frame: (frame) => frames.push(frame), close: () => {} })
    createChannel(contract, {
      side: 'client',
      transport: left,
      dialect: pythonDialect(),
      frameType: 'binary',
    })
    await settled()
    expect(frames).toEqual([expect.any(Uint8Array)])
    expect(JSON.parse(new TextDecoder().decode(frames[0] as Uint8Array))).toEqual(
      request('_ping_', {}, callId),
    )
  })
})

describe('a server of Python clients', () => {
  test.each([
    ['a call', request('add', { a: 5, b: 10 }), response(15, 'int')],
    ['a float', request('add', { a: 0.25, b: 0.5 }), response(0.75, 'float')],
    [
      'a call without the other member',
      { request: { method: 'add', arguments: { a: 1, b: 2 }, call_id: 'c1' } },
      response(3, 'int'),
    ],
    [
      'a call without arguments',
      { request: { method: 'reset', call_id: 'c1' } },
      response(null, 'NoneType'),
    ],
    ['a call whose arguments are null', request('reset', null), response(null, 'NoneType')],
    ['a call of a notification', request('tell', { text: 'hi' }), response(null, 'NoneType')],
    ['a ping', request('_ping_', {}), response('pong', 'str')],
  ])('answers %s', async (_, asked, answered) => {
    const { peer, errors } = server()
    await peer.send(asked)
    expect(peer.take()).toEqual([answered])
    expect(errors).toEqual([])
  })

  test('answers who it is', async () => {
    const { channel, peer } = server()
    await peer.send(request('_get_channel_id_', {}))
    expect(peer.take()).toEqual([response(channel.id, 'str')])
  })

  test('answers results of every kind with the name of their type', async () => {
    const [left, right] = memoryTransportPair()
    const python = new RawEnd(right)
    createChannel<Pick<Anything, 'echo'>, object>({
      side: 'server',
      transport: left,
      dialect: pythonDialect(),
      methods: { echo: ({ value }) => value },
    })
    for (const [value, type] of [
      ['a', 'str'],
      [true, 'bool'],
      [1, 'int'],
      [1.5, 'float'],
      [[1], 'list'],
      [{ a: 1 }, 'dict'],
      [null, 'NoneType'],
    ]) {
      await python.send(request('echo', { value }))
      expect(python.take()).toEqual([response(value, type)])
    }
  })

  test('does not answer a request that has no id', async () => {
    const { peer, told } = server()
    await peer.send(request('tell', { text: 'hi' }, null))
    await peer.send(request('_ping_', {}, null))
    expect(told).toEqual(['hi'])
    expect(peer.take()).toEqual([])
  })

  test('runs onConnect as soon as a Python client has said something', async () => {
    const { peer } = server({
      onConnect: [(channel) => channel.other.notify({ text: 'Welcome!' })],
    })
    await peer.send(request('_ping_', {}))
    expect(peer.take()).toEqual([
      response('pong', 'str'),
      request('notify', { text: 'Welcome!' }, callId),
    ])
  })

  test('calls the client, and gives the result as the value', async () => {
    const { channel, peer } = server()
    await peer.send(request('_ping_', {}))
    peer.take()
    const answer = channel.other.confirm({ text: 'go?' })
    await settled()
    const [frame] = peer.take()
    expect(frame).toEqual(request('confirm', { text: 'go?' }, callId))
    await peer.send(response('yes', 'str', frame.request.call_id))
    expect(await answer).toBe('yes')
  })

  test('gives no reason of its own where a Python client goes under its calls', async () => {
    const { channel, peer, cut } = server()
    await peer.send(request('_ping_', {}))
    const answer = rejection(channel.other.confirm({ text: 'go?' }))
    await settled()
    cut()
    expect(String(await answer)).toMatch(
      /was sent and may have run: the connection was lost \(1006\)$/,
    )
  })

  test('takes a frame that holds a call and an answer for both', async () => {
    const { channel, peer } = server()
    await peer.send(request('_ping_', {}))
    peer.take()
    const answer = channel.other.confirm({ text: 'go?' })
    await settled()
    const [frame] = peer.take()
    const { response: part } = response('yes', 'str', frame.request.call_id)
    await peer.send({ ...request('add', { a: 1, b: 2 }), response: part })
    expect(await answer).toBe('yes')
    expect(peer.take()).toEqual([response(3, 'int')])
  })

  test.each([
    ['an unknown method', request('nothing', {}), /Method not found: "nothing"/, -32601],
    ['a private method', request('_copy_', {}), /Method not found: "_copy_"/, -32601],
    ['params that break the schema', request('add', { a: 1 }), /Invalid params for "add"/, -32602],
  ])('ends the connection at %s, and says why here and there', async (_, asked, why, code) => {
    const { peer, errors } = server()
    await peer.send(asked)
    expect(peer.came).toEqual([])
    expect(peer.closed).toEqual([{ code: 1011, reason: expect.stringMatching(why) }])
    expect(errors).toEqual([expect.objectContaining({ code, message: expect.stringMatching(why) })])
    expect(String(errors[0])).toContain('the connection was closed')
  })

  test('ends the connection where a handler throws, and tells nothing of its error there', async () => {
    const { python, errors } = await client()
    await python.send(request('confirm', { text: 'fail' }))
    expect(python.closed).toEqual([{ code: 1011, reason: 'Internal error in "confirm"' }])
    expect(String(errors[0])).toContain('a secret')
    expect(errors[1]).toMatchObject({ code: -32603 })
  })

  test.each([
    ['whose method is no string', request(5, {} as object)],
    ['whose arguments are a list', request('add', [1, 2])],
    ['that is no object', { request: [], response: null }],
  ] as const)('reports a request %s, and goes on', async (_, asked) => {
    const { peer, errors } = server()
    await peer.send(request('_ping_', {}))
    peer.take()
    await peer.send(asked)
    expect(errors).toMatchObject([{ code: -32006 }])
    await peer.send(request('add', { a: 1, b: 2 }))
    expect(peer.take()).toEqual([response(3, 'int')])
  })

  test.each([
    ['no JSON', '{'],
    ['no object', '5'],
    ['JSON-RPC', '{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":1,"b":2}}'],
    ['NaN in what is no JSON for another reason', '{"request":NaN,'],
  ])('refuses a later frame that is %s, and nothing beside it', async (_, frame) => {
    const { peer, errors } = server()
    await peer.send(request('_ping_', {}))
    peer.take()
    await peer.send(frame)
    expect(errors).toMatchObject([{ code: -32006, message: expect.stringContaining('dropped') }])
    await peer.send(request('add', { a: 1, b: 2 }))
    expect(peer.take()).toEqual([response(3, 'int')])
    expect(peer.closed).toEqual([])
  })

  test('a client that has been answered goes on, too', async () => {
    const { channel, python, errors } = await client()
    const adding = channel.other.add({ a: 1, b: 2 })
    await settled()
    const [{ request: asked }] = python.take()
    await python.send('{"request": null, "response": {"result": ')
    await python.send(response(3, 'int', asked.call_id))
    expect(await adding).toBe(3)
    expect(errors).toMatchObject([{ code: -32006 }])
    expect(python.closed).toEqual([])
  })

  test('reads numbers that JSON has no word for as null, and leaves text alone', async () => {
    const [left, right] = memoryTransportPair()
    const peer = new RawEnd(right)
    createChannel<{ echo(params: { value: unknown }): unknown }, object>({
      side: 'server',
      transport: left,
      dialect: pythonDialect(),
      methods: { echo: ({ value }) => value },
    })
    const value = String.raw`[NaN, -Infinity, {"Infinity": Infinity}, "NaN", "\\", "a \" NaN", -1]`
    await peer.send(
      `{"request": {"method": "echo", "arguments": {"value": ${value}}, "call_id": "a"}, "response": null}`,
    )
    const [answer] = peer.take()
    expect(answer.response.result).toEqual([
      null,
      null,
      { Infinity: null },
      'NaN',
      '\\',
      'a " NaN',
      -1,
    ])
  })

  test('refuses a frame over the limit', async () => {
    const [left, right] = memoryTransportPair()
    const peer = new RawEnd(right)
    createChannel<object, object>({
      side: 'server',
      transport: left,
      dialect: pythonDialect(),
      limits: { message: 100 },
    })
    await peer.send(request('add', { text: 'x'.repeat(100) }))
    expect(peer.closed).toMatchObject([{ code: 1009 }])
  })

  test('answers in the frames that it is sent', async () => {
    const [left, right] = memoryTransportPair()
    const frames: unknown[] = []
    right.start({ frame: (frame) => frames.push(frame), close: () => {} })
    createChannel(contract, { side: 'server', transport: left, dialect: pythonDialect() })
    const text = JSON.stringify(request('_ping_', {}))
    right.send(new TextEncoder().encode(text))
    right.send(text)
    await settled()
    expect(frames).toEqual([expect.any(Uint8Array), expect.any(String)])
  })
})

describe('a server whose peer may be any', () => {
  test('serves a flashrpc client', async () => {
    const [left, right] = memoryTransportPair()
    createChannel(contract, {
      side: 'server',
      transport: left,
      dialect: pythonDialect(),
      methods: { add: ({ a, b }) => a + b },
    })
    const channel = createChannel(contract, { side: 'client', transport: right })
    expect(await channel.other.add({ a: 5, b: 10 })).toBe(15)
    await channel.close()
  })

  test.each([
    ['a call', { jsonrpc: '2.0', id: 1, method: 'reset' }, { jsonrpc: '2.0', id: 1, result: null }],
    [
      'what is no message of either kind',
      { hello: 'world' },
      { jsonrpc: '2.0', id: null, error: expect.objectContaining({ code: -32600 }) },
    ],
    [
      'what is no JSON',
      '{',
      { jsonrpc: '2.0', id: null, error: expect.objectContaining({ code: -32700 }) },
    ],
  ])('answers %s in JSON-RPC', async (_, asked, answered) => {
    const { peer } = server()
    await peer.send(asked)
    expect(peer.take()).toEqual([answered])
  })

  test('calls one that stays silent in both ways at once, and takes either answer', async () => {
    for (const speaks of ['python', 'json-rpc']) {
      const { channel, peer, errors } = server({ helloTimeoutMs: 50 })
      const answer = channel.other.confirm({ text: 'go?' }, { timeout: 10_000 })
      await polled(() => peer.came.length).toBe(1)
      const [frame] = peer.take()
      expect(frame).toEqual({
        jsonrpc: '2.0',
        id: 1,
        method: 'confirm',
        params: { text: 'go?' },
        ...request('confirm', { text: 'go?' }, callId),
      })
      await peer.send(
        speaks === 'python'
          ? response('yes', 'str', frame.request.call_id)
          : { jsonrpc: '2.0', id: 1, result: 'yes' },
      )
      expect(await answer).toBe('yes')
      expect(errors).toEqual([])
    }
  })
})

test('refuses a dialect that is none', () => {
  const [transport] = memoryTransportPair()
  const make = () =>
    createChannel<object, Anything>({
      side: 'client',
      transport,
      dialect: 'python' as unknown as ReturnType<typeof pythonDialect>,
    })
  expect(make).toThrow(RpcConfigError)
})

test('refuses a codec beside the dialect, which has its own', () => {
  const [transport] = memoryTransportPair()
  const make = () =>
    createChannel<object, object>({
      side: 'client',
      transport,
      dialect: pythonDialect(),
      codec: { name: 'mine', encode: JSON.stringify, decode: (frame) => JSON.parse(String(frame)) },
    })
  expect(make).toThrow(
    /"mine" can't be used: the Python dialect is written in JSON. Leave codec out/,
  )
})
