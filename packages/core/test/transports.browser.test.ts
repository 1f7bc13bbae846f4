import {
  createChannel,
  createClient,
  messagePortTransport,
  RpcConfigError,
  RpcDisconnectedError,
  type WebSocketLike,
  webSocketTransport,
} from '@flashrpc/core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { contract as serverContract } from '../../../scripts/test-server/contract.js'
import type { Control } from '../../../scripts/test-server/control.js'
import { eventually } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { contract } from './support/suite/contract.js'
import { describeTransport } from './support/suite/describe-transport.js'
import { createSuiteMethods } from './support/suite/serve.js'
import { threadContract } from './support/thread-contract.js'

describeTransport("the page's ports", async () => {
  const methods = createSuiteMethods()
  return {
    open: async () => {
      const { port1, port2 } = new MessageChannel()
      const transport = messagePortTransport(port2)
      createChannel(contract, { side: 'server', transport, methods: methods() })
      return messagePortTransport(port1)
    },
    close: async () => {},
  }
})

describeTransport('a web worker', async () => {
  const url = new URL('./support/suite/web-worker.ts', import.meta.url)
  const worker = new Worker(url, { type: 'module' })
  return {
    open: async () => {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage(port2, [port2])
      return messagePortTransport(port1)
    },
    close: async () => worker.terminate(),
  }
})

describe('a Worker', () => {
  test('and its own scope call each other, with bytes and streams', async () => {
    const worker = new Worker(new URL('./support/own-worker.ts', import.meta.url), {
      type: 'module',
    })
    const channel = createChannel(threadContract, {
      side: 'client',
      transport: messagePortTransport(worker),
      methods: { name: () => 'page' },
    })
    const { other } = channel
    expect(await other.add({ a: 5, b: 10 })).toBe(15)
    expect(await other.ask()).toBe('page')
    const bytes = new Uint8Array([1, 2, 3])
    expect(await other.reverse({ bytes })).toEqual(new Uint8Array([3, 2, 1]))
    const items: number[] = []
    for await (const n of other.count({ to: 100 })) items.push(n)
    expect(items).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
    const hanging = rejection(other.hang())
    await channel.close()
    expect(await hanging).toMatchObject({ outcome: 'maybe-executed' })
    worker.terminate()
  })

  test('that can not be loaded ends the connection', async () => {
    const worker = new Worker(new URL('/no-such-worker.js', window.location.href))
    const channel = createChannel(contract, {
      side: 'client',
      transport: messagePortTransport(worker),
    })
    const thrown = await rejection(channel.other.add({ a: 1, b: 1 }))
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    expect(thrown).toMatchObject({ closeCode: 1006 })
    expect(String(thrown)).toContain('The worker could not be loaded')
    worker.terminate()
  })

  test('goes on when the connection is closed', async () => {
    const source = 'onmessage = ({ data }) => { if (data === "ping") postMessage("pong") }'
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
    const worker = new Worker(url)
    const transport = messagePortTransport(worker)
    const closed = new Promise((resolve) => transport.start({ frame() {}, close: resolve }))
    transport.close(1000, 'Done')
    expect(await closed).toEqual({ code: 1000, reason: 'Done' })
    const answer = new Promise<unknown>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data)
    })
    worker.postMessage('ping')
    expect(await answer).toBe('pong')
    worker.terminate()
    URL.revokeObjectURL(url)
  })
})

describe('what is no port and no worker is refused in a page', () => {
  test.each<[string, () => unknown]>([
    ['the window', () => window],
    [
      'a frame of another origin',
      () => {
        const frame = document.createElement('iframe')
        frame.sandbox.add('allow-scripts')
        document.body.append(frame)
        return frame.contentWindow
      },
    ],
    ['a BroadcastChannel', () => new BroadcastChannel('flashrpc-test')],
    ['a SharedWorker', () => new SharedWorker('data:text/javascript,')],
  ])('%s', (_, make) => {
    const create = () => messagePortTransport(make() as never)
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow(/takes a MessagePort, a Worker/)
  })
})

describeTransport("the browser's WebSocket, to another process", async () => {
  const control = createClient<Control>({ url: inject('controlUrl') })
  const { port, url } = await control.other.startSuite({})
  return {
    open: async () => {
      const socket = new WebSocket(url)
      await new Promise((resolve) => socket.addEventListener('open', resolve))
      return webSocketTransport(socket as WebSocketLike)
    },
    close: async () => {
      await control.other.stop({ port })
      await control.close()
    },
  }
})

/** What the suite can't see from one end. */
describe("the browser's WebSocket", () => {
  const control = createClient<Control>({ url: inject('controlUrl'), autoConnect: false })
  let port: number
  let url: string

  beforeAll(async () => {
    await control.connect()
    ;({ port, url } = await control.other.start({}))
  })

  afterAll(async () => {
    await control.other.stop({ port })
    await control.close()
  })

  async function open() {
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const channel = createChannel(serverContract, {
      side: 'client',
      transport: webSocketTransport(socket as WebSocketLike),
      methods: { upper: ({ text }) => text.toUpperCase() },
      limits: { message: 10_000 },
    })
    return Object.assign(channel, { socket })
  }

  test('closing ends the connection on both sides', async () => {
    const channel = await open()
    await channel.other.add({ a: 1, b: 2 })
    expect((await control.other.count({ port })).open).toBe(1)
    await channel.close()
    expect(await rejection(channel.other.add({ a: 1, b: 2 }))).toMatchObject({
      outcome: 'not-sent',
    })
    await eventually(async () => expect((await control.other.count({ port })).open).toBe(0))
  })

  test("a frame over the page's limit ends the connection, by a code that a page may use", async () => {
    const channel = await open()
    const closed = new Promise<CloseEvent>((resolve) => {
      channel.socket.addEventListener('close', resolve)
    })
    await channel.other.add({ a: 1, b: 2 })
    // The server heeds the limit that the page told it; another peer, here the page's own, may not.
    const slow = rejection(channel.other.slow({ ms: 1_000 }))
    channel.socket.dispatchEvent(new MessageEvent('message', { data: 'x'.repeat(10_001) }))
    const thrown = await slow
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    expect(thrown).toMatchObject({ closeCode: 1009, outcome: 'maybe-executed' })
    expect((await closed).code).toBe(4009)
  })
})
