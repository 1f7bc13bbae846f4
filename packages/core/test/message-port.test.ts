import { EventEmitter, once } from 'node:events'
import { BroadcastChannel, MessageChannel, type Worker } from 'node:worker_threads'
import {
  type CloseInfo,
  createChannel,
  createClient,
  defineContract,
  memoryTransportPair,
  messagePortTransport,
  method,
  RpcConfigError,
  RpcDisconnectedError,
} from '@flashrpc/core'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { rejection } from './support/rejection.js'
import { startWorker } from './support/start-worker.js'
import { threadContract } from './support/thread-contract.js'

interface Echo {
  echo(params: { text: string }): Promise<string>
}

/** A raw port whose other end is a channel that has shaken hands. */
async function open() {
  const { port1: raw, port2 } = new MessageChannel()
  const ended = vi.fn<(reason: CloseInfo) => void>()
  const posted: unknown[] = []
  raw.on('message', (message) => posted.push(message))
  const channel = createChannel<Record<never, never>, Echo>({
    side: 'server',
    transport: messagePortTransport(port2),
    onDisconnect: [(_, reason) => ended(reason)],
  })
  raw.postMessage('{"jsonrpc":"2.0","id":0,"method":"rpc.ping"}')
  await vi.waitFor(() => expect(channel.isConnected).toBe(true), { timeout: 10_000 })
  return { raw, channel, ended, posted, [Symbol.dispose]: () => raw.close() }
}

describe('what is no frame ends the connection, and both sides learn why', () => {
  test.each([
    [
      'null, which Electron makes of a transferred ArrayBuffer',
      null,
      /ArrayBuffer; copy it instead/,
    ],
    ['an object', { jsonrpc: '2.0' }, /neither text nor bytes/],
    ['an ArrayBuffer', new ArrayBuffer(4), /neither text nor bytes/],
    ['a number', 5, /neither text nor bytes/],
    ['a goodbye without a code', { flashrpc: 'close' }, /neither text nor bytes/],
  ])('%s', async (_, message, reason) => {
    using port = await open()
    const asking = port.channel.other.echo({ text: 'hi' })
    port.raw.postMessage(message)
    const error = await rejection(asking)
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ closeCode: 1003, message: expect.stringMatching(reason) })
    expect(port.ended).toHaveBeenCalledExactlyOnceWith({
      code: 1003,
      reason: expect.stringMatching(reason),
    })
    await vi.waitFor(
      () =>
        expect(port.posted.at(-1)).toEqual({
          flashrpc: 'close',
          code: 1003,
          reason: expect.stringMatching(reason),
        }),
      { timeout: 10_000 },
    )
  })
})

describe('a message and its bytes are one thing on a port', () => {
  const hello = {
    jsonrpc: '2.0',
    id: 'rpc:1',
    method: 'rpc.hello',
    params: { v: 1, attempt: 1, codec: 'json', bytes: true, limits: { msg: 100_000 } },
  }
  const announced = (message: object, ...at: string[]) =>
    JSON.stringify({ jsonrpc: '2.0', ...message, rpc: { bytes: [{ at, size: 3 }] } })

  async function openBytes() {
    const { port1: raw, port2 } = new MessageChannel()
    const posted: unknown[] = []
    raw.on('message', (message) => posted.push(message))
    const reverse = ({ value }: { value: Uint8Array }) => new Uint8Array(value).reverse()
    const channel = createChannel<Record<never, never>, { reverse: typeof reverse }>({
      side: 'server',
      transport: messagePortTransport(port2),
      methods: { reverse },
    })
    raw.postMessage(JSON.stringify(hello))
    await vi.waitFor(() => expect(posted).toHaveLength(1), { timeout: 10_000 })
    return { raw, channel, posted, [Symbol.dispose]: () => raw.close() }
  }

  test.each([
    ['together', true],
    ['one after the other', false],
  ])('posted %s, and answered together', async (_, isTogether) => {
    using port = await openBytes()
    const request = { id: 1, method: 'reverse', params: { value: null } }
    const frames = [announced(request, 'params', 'value'), new Uint8Array([1, 2, 3])]
    if (isTogether) port.raw.postMessage(frames)
    else for (const frame of frames) port.raw.postMessage(frame)
    await vi.waitFor(() => expect(port.posted).toHaveLength(2), { timeout: 10_000 })
    const [text, bytes] = port.posted[1] as [string, Uint8Array]
    expect(JSON.parse(text)).toStrictEqual({
      jsonrpc: '2.0',
      id: 1,
      result: null,
      rpc: { bytes: [{ at: ['result'], size: 3 }] },
    })
    expect(bytes).toStrictEqual(new Uint8Array([3, 2, 1]))
  })

  test('an array of what is no frame ends the connection', async () => {
    using port = await openBytes()
    port.raw.postMessage(['{"jsonrpc":"2.0","id":1,"method":"nothing"}', 5, 'never read'])
    await vi.waitFor(() => expect(port.posted.at(-1)).toMatchObject({ code: 1003 }), {
      timeout: 10_000,
    })
    expect(port.channel.isConnected).toBe(false)
  })
})

describe('a function that makes connections', () => {
  test.each([4400, 4403])('stops the client where it fails with %d, and says why', async (code) => {
    const connect = vi.fn(() => {
      throw new RpcDisconnectedError('No door here: open one', 'not-sent', { closeCode: code })
    })
    await using client = createClient<Echo>({ transport: connect, autoConnect: false })
    const error = await rejection(client.connect())
    expect(error).toMatchObject({ message: 'No door here: open one', closeCode: code })
    expect(client.state).toMatchObject({ status: 'failed', lastError: error })
    expect(connect).toHaveBeenCalledOnce()
  })

  test('is asked again where it fails otherwise', async () => {
    const { port1, port2 } = new MessageChannel()
    createChannel<Echo, Record<never, never>>({
      side: 'server',
      transport: messagePortTransport(port2),
      methods: { echo: ({ text }) => Promise.resolve(text) },
    })
    const connect = vi
      .fn()
      .mockRejectedValueOnce(new Error('not yet'))
      .mockRejectedValueOnce(new RpcDisconnectedError('not yet', 'not-sent'))
      .mockReturnValue(messagePortTransport(port1))
    await using client = createClient<Echo>({
      transport: connect,
      retry: { minDelayMs: 1 },
    })
    expect(await client.other.echo({ text: 'hi' })).toBe('hi')
    expect(connect).toHaveBeenCalledTimes(3)
  })
})

describe('a channel of the serving side', () => {
  const contract = defineContract({
    server: { who: method({ result: z.string() }), secret: method({ result: z.string() }) },
    client: {},
  })

  test('knows who is at the other end, and lets it do what it may', async () => {
    const { port1, port2 } = new MessageChannel()
    await using server = createChannel(contract, {
      side: 'server',
      transport: messagePortTransport(port1),
      identity: { name: 'Ada' },
      authorize: (called, { identity }) => called === 'who' && identity.name === 'Ada',
      methods: { who: (_, { identity }) => identity.name, secret: () => 'x' },
    })
    const transport = messagePortTransport(port2)
    await using client = createChannel(contract, { side: 'client', transport })
    expect(await client.other.who()).toBe('Ada')
    expect(await rejection(client.other.secret())).toMatchObject({ code: -32002 })
    expect(server.identity).toEqual({ name: 'Ada' })
  })

  test('is refused a rule that is no function', () => {
    const [transport] = memoryTransportPair()
    const authorize = true as unknown as () => boolean
    expect(() => createChannel(contract, { side: 'server', transport, authorize })).toThrow(
      'authorize must be a function, not a boolean',
    )
  })
})

describe('a worker thread and its Worker', () => {
  async function openThread() {
    const worker = await startWorker(new URL('./support/own-thread.ts', import.meta.url))
    const ended = vi.fn<(reason: CloseInfo) => void>()
    const channel = createChannel(threadContract, {
      side: 'client',
      transport: messagePortTransport(worker),
      methods: { name: () => 'parent' },
      onDisconnect: [(_, reason) => ended(reason)],
    })
    const dispose = async () => {
      await channel.close()
      await worker.terminate()
    }
    return { worker, channel, ended, [Symbol.asyncDispose]: dispose }
  }

  test('call each other, with bytes and streams', async () => {
    await using thread = await openThread()
    const { other } = thread.channel
    expect(await other.add({ a: 5, b: 10 })).toBe(15)
    expect(await other.ask()).toBe('parent')
    const bytes = new Uint8Array([1, 2, 3])
    expect(await other.reverse({ bytes })).toEqual(new Uint8Array([3, 2, 1]))
    const items: number[] = []
    for await (const n of other.count({ to: 100 })) items.push(n)
    expect(items).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
  })

  test.each([
    ['is terminated', (worker: Worker) => worker.terminate()],
    ['ends by itself', (_: Worker, exit: () => unknown) => exit()],
  ])('calls end when the thread %s', async (_, end) => {
    await using thread = await openThread()
    const { worker, channel, ended } = thread
    await channel.other.add({ a: 1, b: 1 })
    const hanging = rejection(channel.other.hang())
    end(worker, () => channel.other.exit({ code: 3 }))
    expect(await hanging).toMatchObject({ outcome: 'maybe-executed', closeCode: 1006 })
    expect(ended).toHaveBeenCalledExactlyOnceWith({ code: 1006, reason: 'The worker has ended' })
  })

  test('closing says goodbye, lets the thread end, and leaves no listener on the Worker', async () => {
    await using thread = await openThread()
    const { worker, channel } = thread
    await channel.other.add({ a: 1, b: 1 })
    const exited = once(worker, 'exit')
    await channel.close()
    for (const event of ['message', 'messageerror', 'exit']) {
      expect(worker.listenerCount(event), event).toBe(event === 'exit' ? 1 : 0)
    }
    // The port is closed, so nothing keeps the thread running.
    expect(await exited).toEqual([0])
  })
})

describe('what is no port and no worker is refused, and the error says what is taken', () => {
  const taken =
    /^messagePortTransport takes a MessagePort, a Worker .*parentPort, or self in a worker/

  test.each<[string, () => unknown, RegExp]>([
    ['null, as parentPort is in a main thread', () => null, /given null, which parentPort is/],
    ['undefined', () => undefined, /given a value of type undefined/],
    ['a text', () => 'port', /given a value of type string/],
    ['an empty object', () => ({}), /given an object/],
    ['a MessageChannel', () => new MessageChannel(), /\(MessageChannel\)/],
    ['a Map', () => new Map(), /\(Map\)/],
    ['a SharedWorker', () => ({ port: new MessageChannel().port1 }), /give it its port/],
    ['an emitter', () => new EventEmitter(), /given an object/],
    [
      'an emitter that posts, as ports of Electron',
      () => Object.assign(new EventEmitter(), { postMessage() {}, close() {} }),
      /given an object/,
    ],
  ])('%s', (_, make, given) => {
    const create = () => messagePortTransport(make() as never)
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow(taken)
    expect(create).toThrow(given)
  })

  test('a BroadcastChannel, which others hear', () => {
    const broadcast = new BroadcastChannel('flashrpc-test')
    try {
      expect(() => messagePortTransport(broadcast as never)).toThrow(taken)
    } finally {
      broadcast.close()
    }
  })
})
