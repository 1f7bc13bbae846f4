import { type AnyChannel, createChannel, createClient, memoryTransportPair } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RawEnd, settled } from './support/raw-end.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Methods {
  ping(): string
}

const methods = { ping: () => 'pong' }
const limits = { msg: 1024 * 1024, batch: 100, depth: 256 }
const hello = {
  jsonrpc: '2.0',
  id: 'rpc:1',
  method: 'rpc.hello',
  params: { v: 1, attempt: 1, codec: 'json', bytes: true, limits },
}
/** What the client of a channel says. */
const helloOf = ({ id }: AnyChannel) => ({
  ...hello,
  params: { ...hello.params, id, methods: ['ping'] },
})
const format = { codec: 'json', bytes: true }
const welcome = { v: 1, sid: 'abc', resumed: false, spreadMs: 0, ...format, limits }
const welcomed = { jsonrpc: '2.0', id: 'rpc:1', result: welcome }
const unknown = { jsonrpc: '2.0', id: 'rpc:1', error: { code: -32601, message: 'Unknown' } }
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
const pong = { jsonrpc: '2.0', id: 1, result: 'pong' }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a client', () => {
  let channel: AnyChannel
  let server: RawEnd
  let connected: number

  beforeEach(async () => {
    connected = 0
    const [ours, theirs] = memoryTransportPair()
    channel = createChannel<Methods, Methods>({
      side: 'client',
      transport: ours,
      methods,
      onConnect: [() => connected++],
    })
    server = new RawEnd(theirs)
    await settled()
  })

  afterEach(async () => {
    await channel.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('says hello first, and nothing else before the answer', async () => {
    const calling = channel.call('ping')
    await settled()
    expect(server.take()).toStrictEqual([helloOf(channel)])
    expect(channel.isConnected).toBe(false)
    expect(connected).toBe(0)
    await server.send(welcomed)
    expect(channel.isConnected).toBe(true)
    expect(connected).toBe(1)
    expect(server.take()).toStrictEqual([ping])
    await server.send(pong)
    expect(await calling).toBe('pong')
  })

  test('serves calls that come before the answer', async () => {
    server.take()
    await server.send({ ...ping, id: 'early' })
    expect(server.take()).toStrictEqual([{ ...pong, id: 'early' }])
    expect(channel.isConnected).toBe(false)
  })

  test('takes a server that does not know the hello for a plain one', async () => {
    await server.send(unknown)
    expect(channel.isConnected).toBe(true)
    server.take()
    const controller = new AbortController()
    const calling = rejection(channel.call('ping', undefined, { signal: controller.signal }))
    controller.abort()
    await calling
    // A plain server is told nothing of extensions: no rpc.cancel.
    expect(server.take()).toStrictEqual([ping])
  })

  test('tells a server that knows the hello of a call that was given up', async () => {
    await server.send(welcomed)
    server.take()
    const controller = new AbortController()
    const calling = rejection(channel.call('ping', undefined, { signal: controller.signal }))
    controller.abort()
    await calling
    await settled()
    const cancel = { jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 1 } }
    expect(server.take().flat()).toStrictEqual([ping, cancel])
  })

  test.each([
    null,
    1,
    [],
    {},
    { ...welcome, v: 0 },
    { ...welcome, sid: 1 },
    { ...welcome, limits: null },
    { ...welcome, limits: { msg: -1 } },
  ])('takes a server whose answer is %j for a plain one', async (result) => {
    await server.send({ ...welcomed, result })
    expect(channel.isConnected).toBe(true)
  })

  test('waits for the answer as long as the handshake may take', async () => {
    const calling = channel.call('ping')
    await vi.advanceTimersByTimeAsync(9_999)
    expect(channel.isConnected).toBe(false)
    expect(server.take()).toStrictEqual([helloOf(channel)])
    await server.send(welcomed)
    expect(channel.isConnected).toBe(true)
    expect(server.take()).toStrictEqual([ping])
    await server.send(pong)
    expect(await calling).toBe('pong')
  })

  test('ends with 4408 when there is no answer, and names the option for plain servers', async () => {
    const calling = rejection(channel.call('ping'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(server.closed).toMatchObject([{ code: 4408 }])
    const thrown = await calling
    expect(thrown).toMatchObject({ outcome: 'not-sent', closeCode: 4408 })
    expect(String(thrown)).toMatch(/not answered within 10000 ms.*plain: true/)
    expect(connected).toBe(0)
    expect(server.take()).toStrictEqual([helloOf(channel)])
  })

  test('takes an error that names no id for the answer', async () => {
    await server.send({ ...unknown, id: null })
    expect(channel.isConnected).toBe(true)
    expect(connected).toBe(1)
  })

  test('does not mind a second answer', async () => {
    await server.send(welcomed)
    await server.send({ ...welcomed, result: { ...welcome, limits: { msg: 1 } } })
    expect(channel.isConnected).toBe(true)
    expect(connected).toBe(1)
    server.take()
    void rejection(channel.call('ping'))
    await settled()
    expect(server.take()).toStrictEqual([ping])
  })

  test('knows no rpc.hello itself', async () => {
    server.take()
    await server.send({ ...hello, id: 5 })
    expect(server.take()).toMatchObject([{ id: 5, error: { code: -32601 } }])
  })

  test('ends in good order when the connection does before the answer', async () => {
    const calling = rejection(channel.call('ping'))
    await channel.close()
    expect(await calling).toMatchObject({ outcome: 'not-sent' })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(connected).toBe(0)
  })
})

describe('a server', () => {
  let channel: AnyChannel
  let client: RawEnd
  let connected: number

  beforeEach(async () => {
    connected = 0
    const [ours, theirs] = memoryTransportPair()
    channel = createChannel<Methods, Methods>({
      side: 'server',
      transport: ours,
      methods,
      onConnect: [() => connected++],
    })
    client = new RawEnd(theirs)
    await settled()
  })

  afterEach(async () => {
    await channel.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('answers a hello with its channel as the session', async () => {
    expect(client.take()).toStrictEqual([])
    await client.send(hello)
    expect(client.take()).toStrictEqual([{ ...welcomed, result: { ...welcome, sid: channel.id } }])
    expect(channel.id).toMatch(/^[0-9a-f]{32}$/)
    expect(connected).toBe(1)
  })

  test('takes no more than the client says it does', async () => {
    await client.send({ ...hello, params: { ...hello.params, limits: { msg: 40 } } })
    expect(await rejection(channel.call('ping', { text: 'x'.repeat(40) }))).toMatchObject({
      code: -32003,
      outcome: 'not-sent',
    })
  })

  test('ends the connection with 4429 at a second hello', async () => {
    await client.send(hello)
    await client.send({ ...hello, id: 'rpc:2' })
    expect(client.closed).toMatchObject([{ code: 4429 }])
    expect(client.take()).toHaveLength(1)
  })

  test.each([
    undefined,
    [],
    [1],
    {},
    { ...hello.params, v: '1' },
    { ...hello.params, attempt: 0.5 },
    { ...hello.params, codec: 1 },
    { ...hello.params, limits: { msg: 0 } },
  ])('refuses a hello with the params %j, and goes on', async (params) => {
    await client.send({ ...hello, params })
    expect(client.take()).toMatchObject([{ id: 'rpc:1', error: { code: -32602 } }])
    await client.send(hello)
    expect(client.take()).toMatchObject([{ id: 'rpc:1', result: { v: 1 } }])
    expect(connected).toBe(1)
  })

  test.each([
    ['a call', ping],
    ['a notification', { jsonrpc: '2.0', method: 'anything' }],
    ['a batch', [ping]],
    ['what it cannot read', '{'],
  ])('takes a client whose first frame is %s for a plain one', async (_, frame) => {
    await client.send(frame)
    expect(channel.isConnected).toBe(true)
    expect(connected).toBe(1)
  })

  test('takes a client that is silent for ten seconds for a plain one', async () => {
    await vi.advanceTimersByTimeAsync(9_999)
    expect(connected).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(connected).toBe(1)
    void rejection(channel.call('ping'))
    await settled()
    expect(client.take()).toStrictEqual([ping])
  })

  test('takes a hello that comes late all the same, and connects once', async () => {
    await vi.advanceTimersByTimeAsync(10_000)
    await client.send(hello)
    expect(client.take()).toMatchObject([{ id: 'rpc:1', result: { sid: channel.id } }])
    expect(client.closed).toStrictEqual([])
    expect(connected).toBe(1)
    // From now on the client is known to understand extensions.
    await client.send({ jsonrpc: '2.0', method: 'rpc.ping' })
    expect(client.take()).toStrictEqual([{ jsonrpc: '2.0', method: 'rpc.pong' }])
  })

  test.each(['rpc.cancel', '$/cancelRequest'])('lets a client cancel with %s', async (method) => {
    let reason: unknown
    channel.expose('slow', (_: unknown, { signal }: { signal: AbortSignal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          reject(signal.reason)
        })
      })
    })
    await client.send({ ...ping, id: 'x', method: 'slow' })
    await client.send({ jsonrpc: '2.0', method, params: { id: 'y' } })
    await client.send({ jsonrpc: '2.0', method, params: [] })
    await client.send({ jsonrpc: '2.0', method })
    expect(reason).toBeUndefined()
    await client.send({ jsonrpc: '2.0', method, params: { id: 'x' } })
    expect(reason).toMatchObject({ code: -32800 })
    expect(client.take()).toMatchObject([{ id: 'x', error: { code: -32800 } }])
  })

  test('runs no method of the protocol that it does not know', async () => {
    await client.send({ ...ping, method: 'rpc.anything' })
    await client.send({ jsonrpc: '2.0', method: 'rpc.anything' })
    expect(client.take()).toMatchObject([{ id: 1, error: { code: -32601 } }])
  })
})

describe('with an other side that is known to be plain', () => {
  function open(side: 'client' | 'server') {
    const [ours, theirs] = memoryTransportPair()
    let connected = 0
    const channel = createChannel<Methods, Methods>({
      side,
      transport: ours,
      plain: true,
      methods,
      onConnect: [() => connected++],
    })
    return { channel, peer: new RawEnd(theirs), connected: () => connected }
  }

  test('a client says no hello, and calls at once', async () => {
    const { channel, peer, connected } = open('client')
    const calling = channel.call('ping')
    await settled()
    expect(peer.take()).toStrictEqual([ping])
    expect(connected()).toBe(1)
    await peer.send(pong)
    expect(await calling).toBe('pong')
    await peer.send(welcomed)
    expect(connected()).toBe(1)
    await channel.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a server waits for none, calls at once, and knows none', async () => {
    const { channel, peer, connected } = open('server')
    await settled()
    expect(connected()).toBe(1)
    void rejection(channel.call('ping'))
    await settled()
    expect(peer.take()).toStrictEqual([ping])
    await peer.send(hello)
    expect(peer.take()).toMatchObject([{ id: 'rpc:1', error: { code: -32601 } }])
    await channel.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([
    [{ plain: 'yes' }, 'plain must be true or false'],
    [{ helloTimeoutMs: 0 }, 'helloTimeoutMs must be a positive integer'],
  ])('options that are none are refused: %j', (options, message) => {
    const [transport] = memoryTransportPair()
    const create = () => createChannel({ side: 'client', transport, ...options } as never)
    expect(create).toThrow(message)
  })
})

describe('on the wire', () => {
  beforeEach(() => {
    vi.useRealTimers()
  })

  test('a server that never answers is a failed attempt, whose error names the option', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Methods>({
      url: server.url,
      connectTimeoutMs: 100,
      retry: { minDelayMs: 1, maxDelayMs: 5, maxAttempts: 3 },
    })
    const calling = rejection(client.call('ping'))
    const thrown = await rejection(client.connect())
    expect(thrown).toMatchObject({ closeCode: 4408, outcome: 'not-sent' })
    expect(String(thrown)).toMatch(/the attempt failed.*within 100 ms.*plain: true/)
    expect(client.state).toMatchObject({ status: 'failed', attempt: 3 })
    expect(await calling).toMatchObject({ outcome: 'not-sent' })
    expect(server.ever).toBe(3)
  })

  test('a plain server that ignores what it does not know is called with the option', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Methods>({ url: server.url, plain: true })
    const calling = client.call('ping')
    const peer = await server.accept()
    expect(await peer.nextJson()).toStrictEqual(ping)
    peer.send(pong)
    expect(await calling).toBe('pong')
  })

  test('over a far link a client connects at once, once, and goes on with its session', async () => {
    interface Page {
      show(params: { bytes: Uint8Array }): number
    }
    const shown: Promise<number>[] = []
    const ended: number[] = []
    await using endpoint = createEndpoint<Methods, Page>({
      resume: {},
      methods,
      // Bytes can't be sent to a plain peer.
      onConnect: [({ other }) => void shown.push(other.show({ bytes: new Uint8Array(3) }))],
      onDisconnect: [(_, { code }) => ended.push(code)],
    })
    const proxy = await createFaultProxy(await endpoint.listen())
    proxy.delay({ up: 1_150, down: 1_150 })
    await using client = createClient<Methods, Page>({
      url: proxy.url(),
      retry: { minDelayMs: 1, maxDelayMs: 5 },
      methods: { show: ({ bytes }) => bytes.length },
    })
    const lost: string[] = []
    client.subscribe(({ status }) => status === 'reconnecting' && lost.push(status))
    expect(await client.call('ping')).toBe('pong')
    expect(lost).toStrictEqual([])
    expect(await Promise.all(shown)).toStrictEqual([3])
    proxy.cut()
    await expect.poll(() => client.state.resumed, { timeout: 20_000 }).toBe(true)
    expect(await client.call('ping')).toBe('pong')
    expect(shown).toHaveLength(1)
    expect(ended).toStrictEqual([])
    await proxy.close()
  }, 40_000)

  test('the hello counts the connections of a client', async () => {
    await using server = await RawServer.listen()
    const retry = { minDelayMs: 5, maxDelayMs: 10 }
    await using client = createClient({ url: server.url, retry, limits: { message: 5_000 } })
    for (const attempt of [1, 2, 3]) {
      const peer = await server.accept()
      expect(await peer.next()).toBe(
        `{"jsonrpc":"2.0","id":"rpc:1","method":"rpc.hello","params":{"v":1,"id":"${client.id}","attempt":${attempt},"codec":"json","bytes":true,"limits":{"msg":5000,"batch":100,"depth":256,"buf":4194304}}}`,
      )
      peer.socket.close(1013)
    }
  })

  test('the answer is JSON text, to the letter', async () => {
    await using endpoint = createEndpoint<Methods>({ methods, limits: { message: 5_000 } })
    await using peer = await rawClient((await endpoint.listen()).url)
    peer.send(hello)
    const text = await peer.next()
    const [channel] = endpoint.channels
    expect(text).toBe(
      `{"jsonrpc":"2.0","id":"rpc:1","result":{"v":1,"sid":"${channel?.id}","resumed":false,"spreadMs":0,"codec":"json","bytes":true,"limits":{"msg":5000,"batch":100,"depth":256}}}`,
    )
  })

  test('each side learns what the other calls its channel, and a client keeps its id', async () => {
    await using endpoint = createEndpoint<Methods>({ methods })
    const { url } = await endpoint.listen()
    await using client = createClient<Methods>({ url, retry: { minDelayMs: 1, maxDelayMs: 5 } })
    expect(client.otherId).toBe(null)
    for (const connection of [1, 2]) {
      await client.connect()
      const [channel] = endpoint.channels
      expect(client.otherId, `connection ${connection}`).toBe(channel?.id)
      expect(channel?.otherId).toBe(client.id)
      const lost = new Promise<void>((resolve) => {
        client.subscribe(({ status }) => void (status === 'reconnecting' && resolve()))
      })
      await channel?.close(4000)
      await lost
    }
  })
})
