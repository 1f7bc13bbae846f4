import { MessageChannel } from 'node:worker_threads'
import {
  type CloseInfo,
  createChannel,
  createClient,
  defineContract,
  memoryTransportPair,
  messagePortTransport,
  method,
  RpcDisconnectedError,
} from '@flashrpc/core'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { rejection } from './support/rejection.js'

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
  await vi.waitFor(() => expect(channel.isConnected).toBe(true))
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
    await vi.waitFor(() =>
      expect(port.posted.at(-1)).toEqual({
        flashrpc: 'close',
        code: 1003,
        reason: expect.stringMatching(reason),
      }),
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
    await vi.waitFor(() => expect(posted).toHaveLength(1))
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
    await vi.waitFor(() => expect(port.posted).toHaveLength(2))
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
    await vi.waitFor(() => expect(port.posted.at(-1)).toMatchObject({ code: 1003 }))
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
      'authorize must be a function; it is of type boolean',
    )
  })
})
