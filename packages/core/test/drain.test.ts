import { createClient, RpcDisconnectedError } from '@flashrpc/core'
import { createEndpoint, type Endpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

interface Server {
  work(params: { id: string; ms: number }): string
  askBack(params: { n: number }): number
  /** Items without an end; `size` is how long each is. */
  tick(params: { size: number; everyMs: number }): AsyncIterable<string>
  /** The same, and does not heed its signal. */
  tickDeaf(params: { n: number }): AsyncIterable<number>
  /** Whatever is sent to it, counted. */
  take(params: { n: number }, context: { input: AsyncIterable<number> }): number
}
interface Page {
  double(params: { n: number }): number
}

const retry = { minDelayMs: 5, maxDelayMs: 50 }

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Servers that take each other's place behind one address. */
class Fleet implements AsyncDisposable {
  /** Every call that was run, by whichever server. */
  readonly ran: string[] = []
  /** How streams without an end ended. */
  readonly ended: string[] = []
  readonly #options: Partial<EndpointOptions<Server, Page>>
  readonly #servers: { endpoint: Endpoint<Server, Page>; port: number }[] = []
  balancer!: FaultProxy

  private constructor(options: Partial<EndpointOptions<Server, Page>>) {
    this.#options = options
  }

  static async start(
    count: number,
    options: Partial<EndpointOptions<Server, Page>>,
  ): Promise<Fleet> {
    const fleet = new Fleet(options)
    for (let n = 0; n < count; n++) fleet.#servers.push(await fleet.#serve())
    fleet.balancer = await createFaultProxy({ targets: fleet.#servers })
    return fleet
  }

  async #serve() {
    const endpoint = createEndpoint<Server, Page>({
      ...this.#options,
      methods: {
        work: async ({ id, ms }) => {
          this.ran.push(id)
          await sleep(ms)
          return id
        },
        askBack: async ({ n }, { channel }) => {
          await sleep(50)
          return channel.other.double({ n })
        },
        tick: ({ size, everyMs }, { signal }) => {
          const { ended } = this
          return (async function* () {
            try {
              while (!signal.aborted) {
                yield 'x'.repeat(size)
                if (everyMs > 0) await sleep(everyMs)
              }
            } finally {
              ended.push(signal.aborted ? 'aborted' : 'left')
            }
          })()
        },
        tickDeaf: ({ n }) => {
          let count = n
          const next = () =>
            count-- > 0
              ? Promise.resolve({ done: false as const, value: count })
              : new Promise<never>(() => {})
          return { [Symbol.asyncIterator]: () => ({ next }) }
        },
        take: async (_, { input }) => {
          let count = 0
          for await (const _ of input) count++
          return count
        },
      },
    })
    return { endpoint, port: (await endpoint.listen()).port }
  }

  get channels() {
    return this.#servers[0]?.endpoint.channels ?? new Set()
  }

  /** Starts another in the place of the oldest, which finishes what it has begun. */
  async replaceOldest(drain = 5_000): Promise<void> {
    this.#servers.push(await this.#serve())
    const oldest = this.#servers.shift()
    this.balancer.retarget({ targets: this.#servers })
    await oldest?.endpoint.close({ drain })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.balancer.close()
    await Promise.all(this.#servers.map(({ endpoint }) => endpoint.close()))
  }
}

describe('a rolling restart of three servers behind a balancer', () => {
  test.each([
    ['with sessions', { resume: {} }],
    ['without', {}],
  ])(
    'loses no call and repeats none, %s',
    async (_, options) => {
      await using fleet = await Fleet.start(3, options)
      const clients = Array.from({ length: 20 }, () =>
        createClient<Server, Page>({ url: fleet.balancer.url(), retry }),
      )
      let isOver = false
      const called: string[] = []
      const failed: unknown[] = []
      const calling = clients.map(async (client, c) => {
        const open: Promise<unknown>[] = []
        for (let n = 0; !isOver; n++) {
          const id = `${c}-${n}`
          called.push(id)
          open.push(
            client.other.work({ id, ms: n % 3 === 0 ? 60 : 0 }).catch((e) => failed.push(e)),
          )
          await sleep(10)
        }
        await Promise.all(open)
      })
      for (let restart = 0; restart < 6; restart++) {
        await sleep(100)
        await fleet.replaceOldest()
      }
      isOver = true
      await Promise.all(calling)
      await Promise.all(clients.map((client) => client.close()))
      expect(failed).toStrictEqual([])
      expect(called.length).toBeGreaterThan(500)
      expect([...fleet.ran].sort()).toStrictEqual([...called].sort())
      // Each has been somewhere else since.
      expect(fleet.balancer.accepted).toBeGreaterThan(clients.length * 2)
    },
    20_000,
  )
})

describe('a server that drains', () => {
  test('lets handlers call back that are not done', async () => {
    await using fleet = await Fleet.start(1, { resume: {} })
    await using client = createClient<Server, Page>({
      url: fleet.balancer.url(),
      retry,
      methods: { double: ({ n }) => n * 2 },
    })
    await client.connect()
    const answer = client.other.askBack({ n: 21 })
    await sleep(20)
    await fleet.replaceOldest()
    expect(await answer).toBe(42)
  })

  test('waits no longer than it was told, and what it leaves behind may have run', async () => {
    await using fleet = await Fleet.start(1, { resume: {} })
    await using client = createClient<Server, Page>({ url: fleet.balancer.url(), retry })
    await client.connect()
    const call = rejection(client.other.work({ id: 'long', ms: 60_000 }))
    await sleep(20)
    const begin = performance.now()
    await fleet.replaceOldest(100)
    expect(performance.now() - begin).toBeLessThan(5_000)
    expect(await call).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001 })
    await until(client, 'connected')
  })

  test('takes no connection, and resumes none', async () => {
    await using fleet = await Fleet.start(1, { resume: {} })
    await using client = createClient<Server, Page>({ url: fleet.balancer.url(), retry })
    await client.connect()
    const call = rejection(client.other.work({ id: 'long', ms: 200 }))
    await sleep(20)
    const replaced = fleet.replaceOldest()
    fleet.balancer.cut()
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
    await until(client, 'connected')
    expect(client.state.resumed).toBe(false)
    await replaced
  })

  test('closes at once where nothing runs', async () => {
    await using fleet = await Fleet.start(1, { resume: {} })
    await using client = createClient<Server, Page>({ url: fleet.balancer.url(), retry })
    await client.connect()
    const begin = performance.now()
    await fleet.replaceOldest(30_000)
    expect(performance.now() - begin).toBeLessThan(5_000)
  })
})

describe.each([
  ['with a session', { resume: {} }],
  ['without one', {}],
])('a server that drains, %s,', (_, options) => {
  async function drained() {
    const fleet = await Fleet.start(1, options)
    const client = createClient<Server, Page>({ url: fleet.balancer.url(), retry })
    await client.connect()
    return { fleet, client }
  }

  test('waits for calls beside a stream without an end, which goes on as long and ends with its channel', async () => {
    const { fleet, client } = await drained()
    const stream = client.stream('tick', { size: 1, everyMs: 5 })
    let items = 0
    const cut = rejection(
      (async () => {
        for await (const _ of stream) items++
      })(),
    )
    const call = client.other.work({ id: 'call', ms: 400 })
    await polled(() => items > 0 && fleet.ran.includes('call')).toBe(true)
    const before = items
    const begin = performance.now()
    const replaced = fleet.replaceOldest(60_000)
    expect(await call).toBe('call')
    expect(items).toBeGreaterThan(before + 1)
    await replaced
    expect(performance.now() - begin).toBeLessThan(15_000)
    const error = await cut
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001, items })
    await polled(() => fleet.ended).toStrictEqual(['aborted'])
    await client.close()
    await fleet[Symbol.asyncDispose]()
  }, 20_000)

  test('waits for no stream that fills a slow link, for none that has stopped, and for none that was left', async () => {
    const { fleet, client } = await drained()
    fleet.balancer.throttle({ down: 1_000_000 })
    const full = client.stream('tick', { size: 50_000, everyMs: 0 })
    const stopped = client.stream('tickDeaf', { n: 3 })
    const left = client.stream('tickDeaf', { n: 1 })
    await Promise.all([full.next(), stopped.next(), left.next()])
    await left.return()
    const cut = rejection(
      (async () => {
        for await (const _ of full);
      })(),
    )
    await sleep(100)
    const begin = performance.now()
    await fleet.replaceOldest(60_000)
    expect(performance.now() - begin).toBeLessThan(15_000)
    expect(await cut).toBeInstanceOf(RpcDisconnectedError)
    await client.close()
    await fleet[Symbol.asyncDispose]()
  }, 20_000)

  test('waits for a call that has streamed input', async () => {
    const { fleet, client } = await drained()
    async function* input() {
      for (let n = 0; n < 20; n++) {
        yield n
        await sleep(10)
      }
    }
    const call = client.call('take', { n: 1 }, { input: input() })
    await polled(() => [...fleet.channels][0]?.running).toBe(1)
    await fleet.replaceOldest(60_000)
    expect(await call).toBe(20)
    await client.close()
    await fleet[Symbol.asyncDispose]()
  })
})
