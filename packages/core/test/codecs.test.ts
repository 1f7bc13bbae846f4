import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import {
  type Codec,
  createChannel,
  createClient,
  ErrorCode,
  jsonCodec,
  memoryTransportPair,
  messagePortTransport,
  RpcConfigError,
  RpcDisconnectedError,
  type RpcError,
  RpcProtocolError,
  RpcValidationError,
  type Transport,
  type WebSocketLike,
  webSocketTransport,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint } from '@flashrpc/core/server'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { codecCases, someBytes } from './support/codec-cases.js'
import {
  createEchoMethods,
  type EchoChannel,
  type EchoClient,
  type EchoServer,
  echoOptions,
  formats,
} from './support/echo.js'
import { polled } from './support/eventually.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { startWorker } from './support/start-worker.js'

/** What is to be closed when a test, or all tests of a wire, are over. */
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

interface Wire {
  /** Opens a connection to a serving end with this format. */
  open(format: string): Promise<Transport>
  close(): Promise<unknown>
}

function serveEcho(transport: Transport, format: string): void {
  createChannel<EchoServer, EchoClient>({
    side: 'server',
    transport,
    methods: createEchoMethods(),
    ...echoOptions(format),
  })
}

const wires: Record<string, () => Promise<Wire>> = {
  'a WebSocket': async () => {
    const endpoints = await Promise.all(
      Object.keys(formats).map(async (format) => {
        const methods = createEchoMethods() as never
        const endpoint = createEndpoint<EchoServer, EchoClient>({ methods, ...echoOptions(format) })
        const { url } = await endpoint.listen()
        return { format, url, endpoint }
      }),
    )
    return {
      async open(format) {
        const url = endpoints.find((endpoint) => endpoint.format === format)?.url
        const socket = new WebSocket(url as string)
        await once(socket, 'open')
        return webSocketTransport(socket as unknown as WebSocketLike)
      },
      close: () => Promise.all(endpoints.map(({ endpoint }) => endpoint.close())),
    }
  },
  'a worker thread': async () => {
    const worker = await startWorker(new URL('./support/echo-worker.ts', import.meta.url))
    return {
      async open(format) {
        const { port1, port2 } = new MessageChannel()
        worker.postMessage({ port: port2, format }, [port2])
        return messagePortTransport(port1)
      },
      close: () => worker.terminate(),
    }
  },
  memory: async () => ({
    async open(format) {
      const [ours, theirs] = memoryTransportPair()
      serveEcho(theirs, format)
      return ours
    },
    close: async () => {},
  }),
}

describe.each(Object.entries(wires))('over %s', (_, start) => {
  let wire: Wire

  beforeAll(async () => {
    wire = await start()
  })

  afterAll(() => wire.close())

  describe.each(Object.keys(formats))('%s', (format) => {
    async function open(): Promise<EchoChannel> {
      const channel = createChannel<EchoClient, EchoServer>({
        side: 'client',
        transport: await wire.open(format),
        methods: { echo: ({ value }) => value },
        ...echoOptions(format),
      })
      opened.push(() => channel.close())
      return channel
    }

    const fateOf = (row: (typeof codecCases)[number]) =>
      formats[format]?.codec === msgpackCodec ? row.msgpack : row.json

    test.each(codecCases)('carries $name both ways, or refuses it', async (row) => {
      const { other } = await open()
      const fate = fateOf(row)
      if (typeof fate === 'object' && 'refused' in fate) {
        const thrown = await rejection(other.echo({ value: row.value() }))
        expect(thrown).toBeInstanceOf(RpcValidationError)
        expect(thrown).toMatchObject({ outcome: 'not-sent', method: 'echo' })
        expect((thrown as RpcError).message).toMatch(fate.refused)
        expect((thrown as RpcError).message).toContain('"echo"')
      } else {
        const expected = fate === 'same' ? row.value() : fate.as
        expect(await other.echo({ value: row.value() })).toStrictEqual(expected)
        expect(await other.echoBack({ value: row.value() })).toStrictEqual(expected)
      }
      expect(await other.echo({ value: 'goes on' })).toBe('goes on')
    })

    test('carries mebibytes', async () => {
      const { other } = await open()
      const value = someBytes(3 * 1024 * 1024 + 1)
      for (const answer of [other.echo({ value }), other.echoBack({ value })]) {
        expect(Buffer.compare((await answer) as Uint8Array, value)).toBe(0)
      }
    })

    test("carries bytes in an error's data, and in a notification", async () => {
      const { other } = await open()
      const value = { bytes: someBytes(300) }
      expect(await rejection(other.fail({ data: value }))).toMatchObject({
        code: 4001,
        data: value,
      })
      await other.note({ value })
      await other.note({ value: [] })
      expect(await other.notes()).toStrictEqual([value, []])
    })

    test('keeps calls apart that have bytes and are open at once', async () => {
      const { other } = await open()
      const values = Array.from({ length: 60 }, (_, n) =>
        n % 3 === 0 ? n : { n, a: someBytes(n * 10), b: [someBytes(n)] },
      )
      const answers = values.map((value, n) =>
        n % 2 === 0 ? other.echo({ value }) : other.echoBack({ value }),
      )
      expect(await Promise.all(answers)).toStrictEqual(values)
    })

    test('what is done to bytes after the call changes nothing, on either side', async () => {
      const { other } = await open()
      const sent = someBytes(50)
      const answer = other.echo({ value: sent })
      sent.fill(0)
      const first = (await answer) as Uint8Array
      expect(first).toStrictEqual(someBytes(50))
      await Promise.all(Array.from({ length: 20 }, () => other.echo({ value: new Uint8Array(50) })))
      expect(first).toStrictEqual(someBytes(50))
      first.fill(1)
      expect(await other.echo({ value: 1 })).toBe(1)
    })
  })
})

describe('a codec of the application', () => {
  /** JSON with every message reversed: nobody else's format. */
  const reversed: Codec = {
    name: 'reversed',
    encode: (message) => [...JSON.stringify(message)].reverse().join(''),
    decode: (frame) => JSON.parse([...(frame as string)].reverse().join('')),
  }

  async function serve(codec: Codec, errors: unknown[] = []) {
    const endpoint = createEndpoint<EchoServer, EchoClient>({
      methods: createEchoMethods() as never,
      codec,
      onError: [(_, error) => errors.push(error)],
    })
    opened.push(() => endpoint.close())
    return { endpoint, url: (await endpoint.listen()).url }
  }

  function connect(url: string, codec: Codec | undefined, errors: unknown[] = []) {
    const client = createClient<EchoServer, EchoClient>({
      url,
      ...(codec && { codec }),
      retry: { minDelayMs: 1, maxDelayMs: 5, maxAttempts: 3 },
      onError: [(_, error) => errors.push(error)],
      methods: { echo: ({ value }) => value },
    })
    opened.push(() => client.close())
    return client
  }

  test('carries calls both ways', async () => {
    const { url } = await serve(reversed)
    const { other } = connect(url, reversed)
    expect(await other.echo({ value: { a: 1 } })).toStrictEqual({ a: 1 })
    expect(await other.echoBack({ value: 'back' })).toBe('back')
    expect(await rejection(other.fail({ data: 1 }))).toMatchObject({ code: 4001, data: 1 })
  })

  test('says hello in JSON all the same, and nothing else', async () => {
    const { url } = await serve(reversed)
    await using peer = await rawClient(url)
    const params = { v: 1, attempt: 1, codec: 'reversed', limits: { msg: 1_000 } }
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
    const welcome = await peer.nextJson()
    expect(welcome.result).toMatchObject({ v: 1, codec: 'reversed' })
    expect(welcome.result).not.toHaveProperty('bytes')
    peer.send(reversed.encode({ jsonrpc: '2.0', id: 1, method: 'echo', params: { value: 2 } }))
    expect(reversed.decode(await peer.next())).toStrictEqual({ jsonrpc: '2.0', id: 1, result: 2 })
  })

  test('serves a plain peer that speaks it', async () => {
    const { url } = await serve(reversed)
    await using peer = await rawClient(url)
    peer.send(reversed.encode({ jsonrpc: '2.0', id: 1, method: 'echo', params: { value: 2 } }))
    expect(reversed.decode(await peer.next())).toStrictEqual({ jsonrpc: '2.0', id: 1, result: 2 })
    peer.send('no such thing')
    expect(reversed.decode(await peer.next())).toMatchObject({ id: null, error: { code: -32700 } })
  })

  const throwsAt = (what: 'encode' | 'decode', marker: string): Codec => ({
    name: 'picky',
    encode(message) {
      const text = JSON.stringify(message)
      if (what === 'encode' && text.includes(marker)) throw new Error(`no ${marker} for me`)
      return text
    },
    decode(frame) {
      if (what === 'decode' && String(frame).includes(marker))
        throw new Error(`no ${marker} for me`)
      return JSON.parse(frame as string)
    },
  })

  test('that throws at a call fails the call, before it is sent', async () => {
    const { url } = await serve(throwsAt('encode', 'nothing'))
    const { other } = connect(url, throwsAt('encode', 'poison'))
    const thrown = await rejection(other.echo({ value: 'poison' }))
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({
      outcome: 'not-sent',
      message: `The params of "echo" can't be sent as picky: no poison for me`,
    })
    expect(await other.echo({ value: 'fine' })).toBe('fine')
  })

  test('that throws at an answer answers that it did', async () => {
    const errors: unknown[] = []
    const { url } = await serve(throwsAt('encode', 'poison'), errors)
    const { other } = connect(url, throwsAt('encode', 'nothing'))
    expect(await rejection(other.echo({ value: 'poison' }))).toMatchObject({
      code: ErrorCode.internal,
      message: `The answer of "echo" can't be sent as picky`,
    })
    expect(errors).toMatchObject([
      {
        message: `The answer of "echo" can't be sent as picky: no poison for me`,
        method: 'echo',
        cause: { message: 'no poison for me' },
      },
    ])
    expect(await other.echo({ value: 'fine' })).toBe('fine')
  })

  test('that throws at a frame answers that it is not readable', async () => {
    const serverErrors: unknown[] = []
    const clientErrors: unknown[] = []
    const { url } = await serve(throwsAt('decode', 'poison'), serverErrors)
    const { other } = connect(url, throwsAt('decode', 'nothing'), clientErrors)
    expect(await rejection(other.echo({ value: 'poison' }, { timeout: 200 }))).toMatchObject({
      code: ErrorCode.timedOut,
    })
    expect(serverErrors[0]).toBeInstanceOf(RpcProtocolError)
    expect(clientErrors[0]).toMatchObject({ message: expect.stringContaining('-32700') })
    expect(await other.echo({ value: 'fine' })).toBe('fine')
  })

  test('that can carry nothing at all ends the connection, and not the process', async () => {
    const errors: unknown[] = []
    const broken: Codec = {
      ...throwsAt('decode', 'nothing'),
      encode: () => {
        throw new Error('broken')
      },
    }
    const { url } = await serve(broken, errors)
    const { other } = connect(url, throwsAt('decode', 'nothing'))
    expect(await rejection(other.echo({ value: 1 }))).toMatchObject({
      outcome: 'maybe-executed',
      closeCode: 1011,
    })
    expect(errors).toMatchObject([
      { message: `The answer of "echo" can't be sent as picky: broken` },
      { message: 'broken' },
    ])
  })

  test.each([
    ['nothing', undefined],
    ['a promise', Promise.resolve('x')],
    ['an object', {}],
  ])('that makes %s of a message fails the call', async (_, made) => {
    const { url } = await serve(reversed)
    const { other } = connect(url, { ...reversed, encode: () => made as never })
    expect(await rejection(other.echo({ value: 1 }))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('neither text nor a Uint8Array'),
    })
  })

  test.each<[string, object]>([
    ['codec is null', { codec: null }],
    ['codec has no name', { codec: { ...reversed, name: '' } }],
    ['codec has no decode', { codec: { ...reversed, decode: undefined } }],
    ['frameType is unknown', { frameType: 'base64' }],
  ])('is refused where %s', (_, options) => {
    const [transport] = memoryTransportPair()
    const methods = createEchoMethods() as never
    const refused = (make: () => unknown) => expect(make).toThrow(RpcConfigError)
    refused(() => createClient({ url: 'ws://127.0.0.1:1', autoConnect: false, ...options }))
    refused(() => createEndpoint<EchoServer, EchoClient>({ methods, ...options }))
    refused(() => createChannel({ side: 'client', transport, ...options }))
  })

  describe('that the other side does not have', () => {
    const pairs: [string, Codec | undefined, Codec | undefined][] = [
      ['msgpack', msgpackCodec, undefined],
      ['json', undefined, msgpackCodec],
      ['reversed', reversed, msgpackCodec],
      ['msgpack', msgpackCodec, reversed],
      ['reversed', reversed, undefined],
    ]

    test.each(pairs)(
      'stops a client of %s at once, and says why',
      async (_, ofClient, ofServer = jsonCodec) => {
        const errors: unknown[] = []
        const { url, endpoint } = await serve(ofServer, errors)
        const client = connect(url, ofClient)
        const why = `Codec mismatch: client "${(ofClient ?? jsonCodec).name}", server "${ofServer.name}". Give both the same codec`
        const waiting = await rejection(client.other.echo({ value: 1 }))
        expect(waiting).toBeInstanceOf(RpcDisconnectedError)
        expect(waiting).toMatchObject({ outcome: 'not-sent', closeCode: 4400 })
        expect((waiting as Error).message).toContain(why)
        expect(client.state).toMatchObject({ status: 'failed', attempt: 1 })
        expect(client.state.lastError?.message).toContain(why)
        expect(await rejection(client.other.echo({ value: 2 }))).toMatchObject({
          outcome: 'not-sent',
        })
        expect(errors).toMatchObject([{ message: why }])
        await polled(() => endpoint.channels.size).toBe(0)
      },
    )

    /** A logger that keeps the lines about codecs. */
    function lines() {
      const told: string[] = []
      const tell = (text: string) => void (text.includes('Codec mismatch') && told.push(text))
      return { told, logger: { debug: tell, warn: tell, error: tell } }
    }

    test('is logged once on each side', async () => {
      const [server, client] = [lines(), lines()]
      const endpoint = createEndpoint<EchoServer, EchoClient>({
        methods: createEchoMethods() as never,
        logger: server.logger,
      })
      opened.push(() => endpoint.close())
      const { url } = await endpoint.listen()
      const caller = createClient<EchoServer, EchoClient>({
        url,
        codec: msgpackCodec,
        logger: client.logger,
      })
      opened.push(() => caller.close())
      await rejection(caller.other.echo({ value: 1 }))
      await polled(() => endpoint.channels.size).toBe(0)
      expect(server.told).toEqual([expect.stringMatching(/^flashrpc: channel \w+: Codec mismatch/)])
      expect(client.told).toEqual([expect.stringContaining('the client has stopped (failed)')])
    })

    test('is logged once by a client whose server is a plain one', async () => {
      await using server = await RawServer.listen()
      const { told, logger } = lines()
      const client = createClient({ url: server.url, codec: msgpackCodec, logger })
      opened.push(() => client.close())
      await server.acceptPlain()
      await polled(() => client.state.status).toBe('failed')
      expect(told).toEqual([expect.stringContaining('the client has stopped (failed)')])
    })

    test('is told to the client to the letter', async () => {
      const { url } = await serve(jsonCodec)
      await using peer = await rawClient(url)
      const params = { v: 1, attempt: 1, codec: 'msgpack', limits: { msg: 1_048_576 } }
      peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
      expect(await peer.next()).toBe(
        String.raw`{"jsonrpc":"2.0","id":"rpc:1","error":{"code":-32010,"message":"Codec mismatch: client \"msgpack\", server \"json\". Give both the same codec","data":{"client":"msgpack","server":"json"}}}`,
      )
      expect(await peer.closed).toStrictEqual({
        code: 4400,
        reason: 'Codec mismatch: client "msgpack", server "json". Give both the same codec',
      })
    })

    test('is told to a plain peer of JSON', async () => {
      const { url } = await serve(msgpackCodec)
      await using peer = await rawClient(url)
      peer.send({ jsonrpc: '2.0', id: 1, method: 'echo', params: { value: 1 } })
      expect(await peer.nextJson()).toMatchObject({ id: null, error: { code: -32010 } })
      expect(await peer.closed).toMatchObject({ code: 4400 })
    })

    test('stops a client whose server is a plain one of JSON', async () => {
      await using server = await RawServer.listen()
      const client = connect(server.url, msgpackCodec)
      await server.acceptPlain()
      const thrown = await rejection(client.other.echo({ value: 1 }))
      expect(thrown).toMatchObject({ outcome: 'not-sent', closeCode: 4400 })
      expect(client.state.lastError?.message).toContain('client "msgpack", server "json"')
      expect(client.state.status).toBe('failed')
    })

    test('stops a client whose server does not say its codec, and so has the default', async () => {
      await using server = await RawServer.listen()
      const client = connect(server.url, msgpackCodec)
      await server.acceptExtended()
      await rejection(client.other.echo({ value: 1 }))
      expect(client.state.status).toBe('failed')
    })

    test.each(['memory', 'a port'])('ends both ends of a channel over %s', async (kind) => {
      const { port1, port2 } = new MessageChannel()
      const [left, right] =
        kind === 'memory'
          ? memoryTransportPair()
          : [messagePortTransport(port1), messagePortTransport(port2)]
      const server = createChannel<EchoServer, EchoClient>({
        side: 'server',
        transport: left,
        methods: createEchoMethods(),
        codec: msgpackCodec,
      })
      const client = createChannel<EchoClient, EchoServer>({ side: 'client', transport: right })
      const thrown = await rejection(client.other.echo({ value: 1 }))
      expect(thrown).toMatchObject({ outcome: 'not-sent', closeCode: 4400 })
      expect((thrown as Error).message).toContain('client "json", server "msgpack"')
      expect(await rejection(server.other.echo({ value: 1 }))).toMatchObject({ closeCode: 4400 })
    })
  })
})

describe('values of MessagePack in one another', () => {
  const containers: ((value: unknown) => unknown)[] = [
    (value) => [value],
    (value) => ({ value }),
    (value) => new Map([['key', value]]),
    (value) => new Map([[value, 'value']]),
    (value) => new Set([value]),
  ]
  const nest = (layers: readonly number[]) =>
    layers.reduce<unknown>((value, layer) => containers[layer]?.(value), 1)

  test('are sent as far as they are read, and are read as they were', () => {
    const layers = fc.array(fc.nat({ max: containers.length - 1 }), {
      minLength: 80,
      maxLength: 130,
    })
    fc.assert(
      fc.property(layers, (of) => {
        const value = nest(of)
        const sent = () => msgpackCodec.decode(msgpackCodec.encode(value))
        if (of.length < 100) expect(sent()).toEqual(value)
        // The encoder itself counts the innermost value, too.
        else if (of.length > 100) expect(() => msgpackCodec.encode(value)).toThrow(/deep/)
      }),
      { seed: 1_000, numRuns: 300 },
    )
  })

  test('too deep, are refused before they are sent, and harm no other call', async () => {
    await using endpoint = createEndpoint<EchoServer, EchoClient>({
      methods: createEchoMethods() as never,
      codec: msgpackCodec,
    })
    const { url } = await endpoint.listen()
    await using client = createClient<EchoServer, EchoClient>({ url, codec: msgpackCodec })
    const good = client.other.echo({ value: nest(new Array(90).fill(2)) })
    const thrown = await rejection(client.other.echo({ value: nest(new Array(110).fill(2)) }))
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('nests deeper than 100'),
    })
    const endless = new Map<string, unknown>()
    endless.set('self', endless)
    expect(await rejection(client.other.echo({ value: endless }))).toMatchObject({
      outcome: 'not-sent',
    })
    expect(await good).toBeInstanceOf(Map)
  })
})

describe('a hostile frame of MessagePack', () => {
  const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
  const nested = (levels: number, head: string) => hex(head.repeat(levels))
  /**
   * An empty value in so many Maps, each the only key of the next; each Map is in the containers that these heads
   * begin.
   */
  const inMaps = (levels: number, heads = '') => {
    let value = 'c0'
    for (let level = 0; level < levels; level++) {
      const size = (value.length / 2 + 2).toString(16).padStart(8, '0')
      value = `${heads}c9${size}0192${value}c0`
    }
    return hex(value)
  }

  test.each<[string, Uint8Array]>([
    ['nothing', hex('')],
    ['a type that is never used', hex('c1')],
    ['an array of four thousand million', hex('dd ff ff ff ff')],
    ['a map of four thousand million', hex('df ff ff ff ff 00')],
    ['a hundred thousand arrays of a million', nested(100_000, 'dd 00 0f ff ff')],
    ['arrays in arrays, without end', nested(500_000, '91')],
    ['maps in maps as values, without end', nested(250_000, '81 a0')],
    ['text that ends too early', hex('db 00 00 ff ff 61')],
    ['bytes that end too early', hex('c6 7f ff ff ff 00')],
    ['a number that ends too early', hex('cb 00')],
    ['more than one value', hex('01 02')],
    ['a key __proto__', hex('81 a9 5f 5f 70 72 6f 74 6f 5f 5f 80')],
    ['a key that is an object', hex('81 80 01')],
    ['Maps in Maps, deeper than they may be', inMaps(101)],
    ['arrays in Maps in arrays, deeper than they may be', inMaps(50, '91 91')],
    ['a Map that says it is larger than its array', hex('92 c7 03 01 90 01 01 01')],
    ['a Map that says it is smaller than its array', hex('92 c7 01 01 92 01 01 01')],
    ['a Map of nothing', hex('c7 00 01')],
    ['a Map of an array of four thousand million', hex('c7 05 01 dd ff ff ff ff')],
    ['a Map that ends before its type', hex('c7 01')],
    ['a Map of no array', hex('d4 01 01')],
    ['a Map with half an entry', hex('c7 02 01 91 01')],
    ['a Set of no array', hex('d4 02 c0')],
    ['a bigint of no number', hex('d4 03 78')],
    ['a date of no length', hex('d4 ff 00')],
  ])('%s is answered -32700, and the connection goes on', async (_, frame) => {
    await using endpoint = createEndpoint<EchoServer, EchoClient>({
      methods: createEchoMethods() as never,
      codec: msgpackCodec,
    })
    await using peer = await rawClient((await endpoint.listen()).url)
    const frames: Uint8Array[] = []
    peer.socket.on('message', (data) => frames.push(data as Uint8Array))
    peer.send(frame)
    peer.send(msgpackCodec.encode({ jsonrpc: '2.0', id: 1, method: 'echo', params: { value: 1 } }))
    await polled(() => frames.length).toBe(2)
    const [refusal, answer] = frames.map((bytes) => msgpackCodec.decode(bytes))
    expect(refusal).toMatchObject({ id: null, error: { code: -32700 } })
    expect(answer).toMatchObject({ id: 1, result: 1 })
  })

  test('that nests as deep as it may is read', () => {
    expect(msgpackCodec.decode(inMaps(99))).toBeInstanceOf(Map)
    expect(() => msgpackCodec.decode(inMaps(101))).toThrow('it nests deeper than 100')
  })

  test('random bytes throw nothing but errors', () => {
    let seed = 42
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed >>> 24
    }
    for (let round = 0; round < 50_000; round++) {
      const bytes = Uint8Array.from({ length: 1 + (random() % 40) }, random)
      try {
        msgpackCodec.decode(bytes)
      } catch (thrown) {
        expect(thrown, `after ${round} rounds`).toBeInstanceOf(Error)
      }
    }
    expect(({} as Record<string, unknown>).polluted).toBe(undefined)
  })
})
