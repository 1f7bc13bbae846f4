import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type AnyClient, createClient } from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { pythonDialect } from '@flashrpc/core/python'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { seededRandom } from '../../src/testing/seeded-random.js'
import { polled } from '../support/eventually.js'
import { HostileFrames } from './hostile-frames.js'
import { SEEDS } from './seeds.js'

/** How many frames are sent in each of the tests; FLASHRPC_FUZZ_FRAMES says so for a long run. */
const FRAMES = Number(process.env.FLASHRPC_FUZZ_FRAMES ?? 4_000)
/** How many go out between two looks at what they did. */
const A_TURN = 100

interface Methods {
  add(params: { a: number; b: number }): number
  hang(): void
  note(): void
  count(): AsyncIterable<number>
  sum(): number
}

const opened: (() => unknown)[] = []
const uncaught: unknown[] = []
const note = (error: unknown) => uncaught.push(error)

beforeEach(() => {
  uncaught.length = 0
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
})

const methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  hang: (_: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    }),
  note: () => {},
  async *count() {
    for (let n = 0; ; n++) yield n
  },
  sum: async (_: unknown, { input }: { input: AsyncIterable<unknown> }) => {
    let items = 0
    for await (const _ of input) items++
    return items
  },
}

const KINDS = [
  ['json', {}],
  ['msgpack', { codec: msgpackCodec }],
  ['python', { dialect: pythonDialect() }],
] as const

const [seed = 0] = SEEDS

describe.each(KINDS)('hostile frames: %s', (codec, options) => {
  test(
    `a server outlives them, and serves its neighbours (seed ${seed})`,
    async () => {
      const endpoint = createEndpoint<Methods>({ methods, resume: {}, ...options })
      opened.push(() => endpoint.close())
      const { url } = await endpoint.listen()
      const neighbour = createClient<Methods>({ url, ...options })
      opened.push(() => neighbour.close())
      await neighbour.connect()
      const frames = new HostileFrames(seededRandom(seed))
      const before = process.memoryUsage().rss
      const delays = monitorEventLoopDelay({ resolution: 5 })
      delays.enable()
      let socket: WebSocket | undefined
      opened.push(() => socket?.terminate())
      for (let sent = 0; sent < FRAMES; ) {
        if (socket?.readyState !== WebSocket.OPEN) socket = await dial(url)
        for (let turn = 0; turn < A_TURN; turn++, sent++) socket.send(frames.next(codec))
        await looked(socket)
        if (sent % 1_000 === 0) expect(await neighbour.other.add({ a: sent, b: 1 })).toBe(sent + 1)
      }
      socket?.terminate()
      expect(await neighbour.other.add({ a: 20, b: 22 })).toBe(42)
      expect(uncaught).toStrictEqual([])
      const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20
      delays.disable()
      const heldUpMs = delays.max / 1e6
      console.log(
        `${codec}: ${FRAMES} frames, ${grownMiB.toFixed(0)} MiB more, held up for ${heldUpMs.toFixed(0)} ms at the most`,
      )
    },
    FRAMES * 5 + 20_000,
  )

  test(
    `a client outlives them, and finds a server that is one (seed ${seed})`,
    async () => {
      const frames = new HostileFrames(seededRandom(seed + 1))
      let sent = 0
      const hostile = new WebSocketServer({ port: 0, host: '127.0.0.1' })
      opened.push(() => closed(hostile))
      hostile.on('connection', (peer) => {
        peer.on('error', () => {})
        const turn = () => {
          if (peer.readyState !== WebSocket.OPEN || sent >= FRAMES) return peer.terminate()
          for (let n = 0; n < A_TURN; n++, sent++) peer.send(frames.next(codec))
          setTimeout(turn, 1)
        }
        // Some of them see the hello answered first.
        peer.once('message', (data) => {
          if (codec === 'json' && sent % 200 === 0) peer.send(welcomeTo(String(data)))
          turn()
        })
      })
      await once(hostile, 'listening')
      const endpoint = createEndpoint<Methods>({ methods, ...options })
      opened.push(() => endpoint.close())
      const honest = (await endpoint.listen()).url
      const url = () =>
        sent < FRAMES ? `ws://127.0.0.1:${(hostile.address() as { port: number }).port}` : honest
      const retry = { minDelayMs: 1, maxDelayMs: 2 }
      const client = createClient<Methods>({ url, retry, ...options })
      opened.push(() => client.close())
      const calling = new AbortController()
      const calls = callOn(client, calling.signal)
      await expect
        .poll(
          () => {
            // What broke the protocol stops a client: here it is to go on.
            if (client.state.status === 'failed') client.connect().catch(() => {})
            return sent
          },
          { timeout: FRAMES * 5 + 10_000, interval: 5 },
        )
        .toBeGreaterThanOrEqual(FRAMES)
      await polled(() => {
        if (client.state.status === 'failed') client.connect().catch(() => {})
        // To the honest one: what is hostile may have said its worst, and not been heard yet.
        return client.state.status === 'connected' && endpoint.channels.size > 0
      }).toBe(true)
      calling.abort()
      await calls
      expect(await client.other.add({ a: 20, b: 22 })).toBe(42)
      expect(uncaught).toStrictEqual([])
    },
    FRAMES * 5 + 20_000,
  )
})

/** Calls again and again; what becomes of the calls is the frames' doing. */
async function callOn(client: AnyClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const options = { timeout: 100 }
    const stream = client.stream('count', undefined, options)
    await Promise.allSettled([
      client.call('add', { a: 1, b: 2 }, options),
      client.call('sum', undefined, { input: methods.count(), ...options }),
      stream.next().then(() => stream.return(undefined)),
      new Promise((resolve) => setTimeout(resolve, 5)),
    ])
  }
}

async function dial(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url)
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

/** Resolves once all that was sent has been looked at, or has ended the connection. */
async function looked(socket: WebSocket): Promise<void> {
  if (socket.readyState !== WebSocket.OPEN) return
  const over = new AbortController()
  const { signal } = over
  socket.ping()
  // Not by `once` alone, which leaves the other listener behind.
  await Promise.race([once(socket, 'pong', { signal }), once(socket, 'close', { signal })]).catch(
    () => {},
  )
  over.abort()
}

function welcomeTo(hello: string): string {
  const { id } = JSON.parse(hello) as { id: unknown }
  const limits = { msg: 1_000_000, buf: 1_000_000 }
  const result = { v: 1, sid: 'abc', resumed: false, spreadMs: 0, token: 'secret', recv: 0, limits }
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

function closed(server: WebSocketServer): Promise<void> {
  for (const peer of server.clients) peer.terminate()
  return new Promise((resolve) => server.close(() => resolve()))
}
