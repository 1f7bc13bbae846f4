import {
  createClient,
  defineContract,
  method,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcTimeoutError,
} from '@flashrpc/core'
import { type Cluster, createCluster, memoryEngines } from '@flashrpc/core/cluster'
import {
  type ClusterEndpoint,
  createEndpoint,
  type RemoteChannel,
  type ServerChannel,
} from '@flashrpc/core/server'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { HandlerContext } from '../../src/calls/functions.js'
import type { AnyPeer } from '../../src/calls/peer.js'
import { polled } from '../support/eventually.js'
import { rawClient } from '../support/raw-peer.js'
import { rejection } from '../support/rejection.js'

interface Client {
  add(params: { a: number; b: number }): number
  fail(params: object): void
  said(params: { n: number }): void
  work(params: object): string
  bytes(params: { data: Uint8Array }): { data: Uint8Array }
  hang(params: object): string
  left(params: object): number
  sum(params: object): number
}

interface Server {
  whoami(params: object): string
}

const engine = memoryEngines()
const opened: (() => unknown)[] = []
const forAll: (() => unknown)[] = []

/** Has the client's channel. */
let near: ClusterEndpoint<Server, Client>
/** Has no sockets, as a job has none. */
let far: ClusterEndpoint<Server, Client>
let farNode = ''
let url = ''

beforeAll(async () => {
  const methods = {
    whoami: (_: object, { channel }: { channel: ServerChannel<Server, Client> }) => channel.id,
  }
  const [one, other] = [0, 1].map(() =>
    createCluster({ engine: engine(), app: 'remote', use: addMeta }),
  ) as [Cluster, Cluster]
  near = createEndpoint<Server, Client>({ cluster: one, resume: {}, methods })
  far = createEndpoint<Server, Client>({ cluster: other, resume: {}, methods })
  farNode = other.node
  forAll.push(
    () => near.close(),
    () => far.close(),
  )
  url = (await near.listen()).url
})

const addMeta = (call: { meta: Record<string, string> }, next: () => Promise<unknown>) => {
  call.meta.from = 'far'
  return next()
}

afterAll(async () => {
  for (const close of forAll) await close()
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** The same, to be called by any name. */
function untyped(remote: object): AnyPeer {
  return remote as AnyPeer
}

/** A client at the near node, as the far node sees it; what has happened at the client. */
async function scene() {
  const seen: unknown[] = []
  const client = createClient<Server, Client>({
    url,
    retry: { minDelayMs: 1, maxDelayMs: 5 },
    methods: {
      add: ({ a, b }: { a: number; b: number }) => a + b,
      fail: () => {
        throw new RpcError(7, 'no luck', { why: 'bad' })
      },
      said: ({ n }: { n: number }, { meta }: HandlerContext) => void seen.push(n, { ...meta }),
      async work(_: object, { progress }: { progress(share: number): void }) {
        for (const share of [0.25, 0.5, 1]) {
          progress(share)
          // What is told in one turn is told once.
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        return 'done'
      },
      bytes: ({ data }: { data: Uint8Array }) => ({ data: data.map((byte) => byte + 1) }),
      hang: (_: object, { signal }: HandlerContext) =>
        new Promise((resolve) => {
          seen.push('hangs')
          signal.addEventListener('abort', () => {
            seen.push('aborted')
            resolve('late')
          })
        }),
      left: (_: object, { timeLeft }: HandlerContext) => timeLeft,
      async sum(_: object, { input }: { input: AsyncIterable<number> }) {
        let sum = 0
        for await (const item of input) sum += item
        return sum
      },
      async *ticks({ n }: { n: number }) {
        try {
          for (let i = 0; i < n; i++) yield i
        } finally {
          seen.push('returned')
        }
      },
    } as never,
  })
  opened.push(() => client.close())
  const id = await client.call('whoami', {})
  return { client, seen, id, remote: far.channel(id) as RemoteChannel<Client> }
}

describe('a client of another node', () => {
  test('is called by its id, from a node without sockets', async () => {
    const { remote, id } = await scene()
    expect(remote.id).toBe(id)
    expect(id.startsWith(remote.node)).toBe(true)
    expect(await remote.call('add', { a: 1, b: 2 })).toBe(3)
    expect(await remote.other.add({ a: 4, b: 5 })).toBe(9)
  })

  test('is the same from its own node', async () => {
    const { id } = await scene()
    const own = near.channel(id)
    expect(own.node).toBe(far.channel(id).node)
    expect(await own.other.add({ a: 1, b: 2 })).toBe(3)
    expect(await own.close()).toBe(true)
    expect(await own.close()).toBe(false)
  })

  test('answers with its own errors', async () => {
    const { remote } = await scene()
    const error = await rejection(remote.other.fail({}))
    expect(error).toMatchObject({ code: 7, message: 'no luck', data: { why: 'bad' } })
  })

  test('gets notifications in order, with the metadata of the calling node', async () => {
    const { remote, seen } = await scene()
    for (let n = 0; n < 5; n++) await remote.notify('said', { n })
    const meta = { from: 'far' }
    await polled(() => seen).toEqual([0, 1, 2, 3, 4].flatMap((n) => [n, meta]))
  })

  test('sends items, which can be left', async () => {
    const { remote, seen } = await scene()
    const items: number[] = []
    for await (const item of untyped(remote).stream('ticks', { n: 2_000 })) {
      items.push(item as number)
    }
    expect(items).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
    for await (const item of untyped(remote).stream('ticks', { n: 1e9 })) {
      if ((item as number) === 100) break
    }
    await polled(() => seen).toEqual(['returned', 'returned'])
  })

  test('takes items', async () => {
    const { remote } = await scene()
    const input = (function* () {
      for (let i = 1; i <= 1_000; i++) yield i
    })()
    expect(await untyped(remote).call('sum', {}, { input })).toBe(500_500)
  })

  test('tells its progress', async () => {
    const { remote } = await scene()
    const seen: unknown[] = []
    const onProgress = (value: unknown) => seen.push(value)
    expect(await untyped(remote).call('work', {}, { onProgress })).toBe('done')
    expect(seen).toEqual([0.25, 0.5, 1])
  })

  test('takes and returns bytes, also more than a payload of the engine holds', async () => {
    const { remote } = await scene()
    expect((await remote.other.bytes({ data: new Uint8Array([1, 2, 3]) })).data).toEqual(
      new Uint8Array([2, 3, 4]),
    )
    const large = new Uint8Array(1024 * 1024 - 1_000).fill(6)
    const { data } = await remote.other.bytes({ data: large })
    expect(data.byteLength).toBe(large.byteLength)
    expect(data.every((byte) => byte === 7)).toBe(true)
  })

  test('has its call aborted', async () => {
    const { remote, seen } = await scene()
    const giveUp = new AbortController()
    const call = rejection(remote.other.hang({}, { signal: giveUp.signal }))
    await polled(() => seen).toEqual(['hangs'])
    giveUp.abort()
    expect(await call).toBeInstanceOf(RpcAbortedError)
    await polled(() => seen).toEqual(['hangs', 'aborted'])
  })

  test('knows how long its caller waits', async () => {
    const { remote, seen } = await scene()
    const left = await remote.other.left({}, { timeout: 800 })
    expect(left).toBeGreaterThan(300)
    expect(left).toBeLessThanOrEqual(800)
    const error = await rejection(remote.other.hang({}, { timeout: 50 }))
    expect(error).toBeInstanceOf(RpcTimeoutError)
    expect(error).toMatchObject({ outcome: 'maybe-executed' })
    await polled(() => seen).toEqual(['hangs', 'aborted'])
  })

  test('that is gone in the middle of a call may have run it; afterwards it has not', async () => {
    const { remote, client, seen } = await scene()
    const call = rejection(remote.other.hang({}))
    await polled(() => seen).toEqual(['hangs'])
    await client.close()
    const error = await call
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed' })
    const later = await rejection(remote.other.add({ a: 1, b: 1 }))
    expect(later).toBeInstanceOf(RpcDisconnectedError)
    expect(later).toMatchObject({
      outcome: 'not-received',
      message: expect.stringMatching(/^"\w+" was not received: the client that was called/),
    })
  })

  test('is closed from there', async () => {
    const { remote, client } = await scene()
    // It connects again at once, and then its state has no error any more.
    const errors: (string | undefined)[] = []
    client.subscribe(({ lastError }) => errors.push(lastError?.message))
    expect(await remote.close(4001, 'enough')).toBe(true)
    await polled(() => errors).toContainEqual(expect.stringContaining('enough'))
    expect(await remote.close()).toBe(false)
    expect(await rejection(remote.close(17))).toBeInstanceOf(RpcConfigError)
  })

  test('whose method is unknown says so', async () => {
    const { remote } = await scene()
    const error = await rejection(untyped(remote).call('nothing'))
    expect(error).toMatchObject({ code: -32601 })
  })
})

test("a client can't address another one: rpc.to is ignored but on links", async () => {
  const [one, other] = [await scene(), await scene()]
  await using peer = await rawClient(url)
  const rpc = { to: one.id }
  peer.send({ jsonrpc: '2.0', id: 1, method: 'add', params: { a: 1, b: 2 }, rpc })
  expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: -32601 } })
  peer.send({ jsonrpc: '2.0', method: 'said', params: { n: 1 }, rpc })
  peer.send({ jsonrpc: '2.0', id: 2, method: 'whoami', params: {}, rpc })
  const { result } = await peer.nextJson()
  expect([one.id, other.id]).not.toContain(result)
  expect(one.seen).toEqual([])
})

describe('19: what is no client', () => {
  test.each(['>', 'a.*', 'x\r\nPUB y 0', '', 'f'.repeat(47), `${'f'.repeat(48)}0`, 'F'.repeat(48)])(
    '%j is refused before anything is sent',
    (id) => {
      expect(() => far.channel(id)).toThrow(RpcConfigError)
    },
  )

  test('1 MB of text is refused, and the error is short', () => {
    let message = ''
    try {
      far.channel('x'.repeat(1_000_000))
    } catch (thrown) {
      message = (thrown as Error).message
    }
    expect(message).toContain('48 hexadecimal digits')
    expect(message.length).toBeLessThan(1_000)
  })

  test.each([
    ['a node that there is not', '0'.repeat(48)],
    ['the own node', undefined],
  ])('of %s, nothing is sent', async (_, id) => {
    const own = far.channel(id ?? `${farNode}${'0'.repeat(32)}`)
    const error = await rejection(own.other.add({ a: 1, b: 1 }))
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'not-sent', method: 'add' })
    const stream = untyped(own).stream('ticks')
    expect(await rejection(stream.next())).toMatchObject({ outcome: 'not-sent' })
  })
})

describe('with a contract', () => {
  const contract = defineContract({
    server: { whoami: method({ result: z.string() }) },
    client: {
      when: method({
        params: z.object({ days: z.number() }),
        result: z.string().transform((text) => new Date(text)),
      }),
    },
  })

  test('what comes back is read once, by the schema at the calling node', async () => {
    const make = () =>
      createEndpoint(contract, {
        cluster: createCluster({ engine: engine(), app: 'contract' }),
        methods: { whoami: (_, { channel }) => channel.id },
      })
    const [one, other] = [make(), make()]
    opened.push(
      () => one.close(),
      () => other.close(),
    )
    const { url } = await one.listen()
    const client = createClient(contract, {
      url,
      methods: { when: ({ days }) => new Date(days * 86_400_000).toISOString() },
    })
    opened.push(() => client.close())
    const remote = other.channel(await client.other.whoami())
    expect(await remote.other.when({ days: 1 })).toEqual(new Date('1970-01-02'))
    const wrong = await rejection(remote.other.when({ days: 'x' as never }))
    expect(wrong).toMatchObject({ code: -32602 })
    expect(await rejection(untyped(remote).call('wen'))).toBeInstanceOf(RpcConfigError)
  })
})

test('without a cluster, there is no channel by its id', async () => {
  const endpoint = createEndpoint<Server, Client>({ methods: { whoami: () => '' } })
  opened.push(() => endpoint.close())
  const { channel } = endpoint as unknown as ClusterEndpoint<Server, Client>
  expect(() => channel.call(endpoint, '0'.repeat(48))).toThrow(RpcConfigError)
})
