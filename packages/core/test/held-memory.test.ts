import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { forkProgram } from './support/fork-program.js'
import type { Command, Measured } from './support/pressed-process.js'
import { type RawPeer, rawClient } from './support/raw-peer.js'

/** How much memory a process holds for another side that is behind: docs/guide/limits.md, "A slow reader". */

const MIB = 1024 * 1024
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** One side in a process of its own, which can be stopped and measured. */
class Side {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<Side> {
    const child = forkProgram(new URL('support/pressed-process.ts', import.meta.url))
    opened.push(() => child.kill('SIGKILL'))
    await once(child, 'message')
    return new Side(child)
  }

  async tell(command: Command): Promise<unknown> {
    const answered = once(this.#child, 'message')
    this.#child.send(command)
    const [answer] = await answered
    return answer
  }

  measure(): Promise<Measured> {
    return this.tell({ do: 'measure' }) as Promise<Measured>
  }

  stop(): void {
    this.#child.kill('SIGSTOP')
  }

  goOn(): void {
    this.#child.kill('SIGCONT')
  }
}

async function served(options: object = {}) {
  const server = await Side.start()
  const url = (await server.tell({ do: 'serve', options })) as string
  const proxy = await createFaultProxy({ port: Number(new URL(url).port) })
  opened.push(() => proxy.close())
  const before = (await server.measure()).heap
  const held = async () => (await server.measure()).heap - before
  return { server, url, proxy, held }
}

async function connected(proxy: FaultProxy): Promise<Side> {
  const client = await Side.start()
  await client.tell({ do: 'connect', url: proxy.url() })
  return client
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const sessions = [
  ['without a session', {}],
  ['in a session', { resume: {} }],
] as const

describe('a peer that makes the server answer, and', () => {
  const call = (id: number, method: string) => ({
    jsonrpc: '2.0',
    id,
    method,
    params: { size: 100_000 },
  })

  async function peerOf(url: string, options: object): Promise<RawPeer> {
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    if ('resume' in options) {
      const limits = { msg: MIB, batch: 100, buf: 4 * MIB }
      const params = { v: 1, attempt: 1, codec: 'json', limits }
      peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
      await peer.next()
    }
    return peer
  }

  const shapes = [
    ['one by one', (calls: object[]) => calls],
    ['in frames of 100', (calls: object[]) => framesOf(calls)],
  ] as const
  const cases = shapes.flatMap(([shape, frames]) =>
    ['answer', 'answerLater'].map((method) => [shape, method, frames] as const),
  )

  test.each(cases)(
    'never acknowledges, calling %s (%s): holds little',
    {
      timeout: 30_000,
    },
    async (_, method, frames) => {
      const { url, held } = await served({ resume: {} })
      const peer = await peerOf(url, { resume: {} })
      for (const frame of frames(Array.from({ length: 3_000 }, (_, n) => call(n, method)))) {
        peer.send(frame)
        await sleep(0)
      }
      await sleep(1_500)
      expect(await held()).toBeLessThan(60 * MIB)
    },
  )

  test.each(cases)(
    'reads nothing, calling %s (%s): holds little',
    {
      timeout: 30_000,
    },
    async (_, method, frames) => {
      const { proxy, held } = await served()
      const peer = await peerOf(proxy.url(), {})
      proxy.stall({ down: true })
      for (const frame of frames(Array.from({ length: 3_000 }, (_, n) => call(n, method)))) {
        peer.send(frame)
        await sleep(0)
      }
      await sleep(1_500)
      expect(await held()).toBeLessThan(60 * MIB)
    },
  )
})

function framesOf(calls: object[]): object[][] {
  const frames: object[][] = []
  for (let n = 0; n < calls.length; n += 100) frames.push(calls.slice(n, n + 100))
  return frames
}

describe.each(sessions)('%s,', (_, options) => {
  test('a client that reads 100 kB/s and is told 1 MB/s costs little, and is not cut off', {
    timeout: 60_000,
  }, async () => {
    // The operating system also buffers some megabytes. A lower limit makes sure that some messages are refused soon.
    const { server, proxy, held } = await served({
      ...options,
      limits: { waitingBytes: 2 * MIB },
    })
    const client = await connected(proxy)
    proxy.throttle({ down: 100_000 })
    const told = server.tell({ do: 'notify', size: 50_000, times: 440, at: 1, everyMs: 50 })
    await told
    const most = await held()
    const { refused, refusals, connected: count } = await server.measure()
    expect(count).toBe(1)
    expect(most).toBeLessThan(12 * MIB)
    expect(refused).toBeGreaterThan(50)
    expect(refusals).toStrictEqual(['RpcOverloadedError not-sent'])
    proxy.heal()
    await expect
      .poll(async () => (await client.measure()).heard, { timeout: 10_000, interval: 200 })
      .toStrictEqual(await sentBy(server, refused))
  })

  test('a stopped client costs little, and hears what was not refused when it goes on', {
    timeout: 60_000,
  }, async () => {
    const { server, proxy, held } = await served(options)
    const client = await connected(proxy)
    client.stop()
    opened.push(() => client.goOn())
    // 1 MB every 10 ms: as much as 13 MB/s for 22 s.
    await server.tell({ do: 'notify', size: 100_000, times: 3_000, at: 10, everyMs: 10 })
    expect(await held()).toBeLessThan(40 * MIB)
    const { refused, refusals } = await server.measure()
    expect(refused).toBeGreaterThan(1_000)
    expect(refusals).toStrictEqual(['RpcOverloadedError not-sent'])
    client.goOn()
    await expect
      .poll(async () => (await client.measure()).heard, { timeout: 10_000, interval: 200 })
      .toStrictEqual(await sentBy(server, refused))
  })

  test('a stopped server costs its client little, and hears what was not refused when it goes on', {
    timeout: 60_000,
  }, async () => {
    const { server, proxy } = await served(options)
    const client = await connected(proxy)
    const before = (await client.measure()).heap
    server.stop()
    opened.push(() => server.goOn())
    await client.tell({ do: 'notify', size: 100_000, times: 3_000, at: 10, everyMs: 10 })
    const { heap, refused, refusals } = await client.measure()
    expect(heap - before).toBeLessThan(40 * MIB)
    expect(refused).toBeGreaterThan(1_000)
    expect(refusals).toStrictEqual(['RpcOverloadedError not-sent'])
    server.goOn()
    await expect
      .poll(async () => (await server.measure()).heard, { timeout: 10_000, interval: 200 })
      .toStrictEqual(await sentBy(client, refused))
  })
})

/** The notes that were not refused, once all of them have gone out. */
async function sentBy(side: Side, refused: number): Promise<number[]> {
  for (let before = -1; ; ) {
    const { sent, refused: now } = await side.measure()
    expect(now).toBe(refused)
    if (sent.length === before) return sent
    before = sent.length
    await sleep(1_000)
  }
}
