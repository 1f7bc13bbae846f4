import {
  createClient,
  defineContract,
  method,
  notification,
  RpcConfigError,
  RpcValidationError,
  stream,
} from '@flashrpc/core'
import { createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { type ClusterEndpoint, createEndpoint } from '@flashrpc/core/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventually, polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'

/** Groups of methods (nested contracts), called at clients of other nodes. */

const Text = z.object({ text: z.string() })
const contract = defineContract({
  server: { rooms: { enter: method({ params: z.object({ room: z.string() }) }) } },
  client: {
    page: {
      ask: method({ params: Text, result: z.string() }),
      toast: notification({ params: Text }),
      broken: method({ result: z.number() }),
      steps: method({ result: z.string(), progress: z.number() }),
      lines: {
        count: stream({ params: z.object({ upTo: z.number() }), item: z.number() }),
        sum: method({ input: z.number(), result: z.number() }),
      },
    },
    title: method({ result: z.string() }),
  },
})
type Server = typeof contract.server
type Page = typeof contract.client

/** Calls methods that the contract may not have. */
interface AnyCaller {
  call(method: string): Promise<unknown>
}
interface AnyGroup {
  call(method: string): Promise<object[]>
}

const engine = memoryEngines()
const opened: (() => unknown)[] = []
const toasts: string[] = []
let near: ClusterEndpoint<Server, Page>
let far: ClusterEndpoint<Server, Page>
let ids: string[]

beforeAll(async () => {
  const make = () =>
    createEndpoint(contract, {
      logger: false,
      cluster: createCluster({ engine: engine(), app: 'nested' }),
      methods: { rooms: { enter: ({ room }, { channel }) => channel.join(room) } },
    })
  near = make()
  far = make()
  opened.push(
    () => far.close(),
    () => near.close(),
  )
  const urls = [(await near.listen()).url, (await far.listen()).url]
  const clients = await Promise.all(
    urls.map(async (url, at) => {
      const client = createClient(contract, {
        url,
        logger: false,
        methods: {
          page: {
            ask: ({ text }) => `${text} ${at}`,
            toast: ({ text }) => toasts.push(`${text} ${at}`),
            broken: () => 'no number' as never,
            async steps(_, { progress }) {
              for (const n of [1, 2]) progress(n)
              return 'done'
            },
            lines: {
              async *count({ upTo }) {
                for (let n = 0; n < upTo; n++) yield n
              },
              async sum(_, { input }) {
                let sum = 0
                for await (const n of input) sum += n
                return sum
              },
            },
          },
        },
      })
      opened.push(() => client.close())
      await client.other.rooms.enter({ room: 'room' })
      return client
    }),
  )
  ids = clients.map(({ state }) => state.sessionId as string)
  // Both nodes know of both members.
  for (const endpoint of [near, far]) {
    await eventually(async () => expect((await endpoint.group('room').count()).count).toBe(2))
  }
})

afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

describe('a client of another node', () => {
  const other = () => near.channel(ids[1] as string)

  test('is called by groups and by paths', async () => {
    expect(await other().other.page.ask({ text: 'by group' })).toBe('by group 1')
    expect(await other().call('page.ask', { text: 'by path' })).toBe('by path 1')
    await other().other.page.toast({ text: 'toast' })
    await other().notify('page.toast', { text: 'again' })
    await polled(() => toasts).toEqual(['toast 1', 'again 1'])
    toasts.length = 0
  })

  test('streams, takes input and tells its progress', async () => {
    const items: number[] = []
    for await (const n of other().other.page.lines.count({ upTo: 3 })) items.push(n)
    for await (const n of other().stream('page.lines.count', { upTo: 1 })) items.push(n)
    expect(items).toEqual([0, 1, 2, 0])
    expect(await other().other.page.lines.sum(undefined, { input: [1, 2, 3] })).toBe(6)
    const steps: number[] = []
    const onProgress = (n: number) => steps.push(n)
    expect(await other().other.page.steps(undefined, { onProgress })).toBe('done')
    expect(steps.at(-1)).toBe(2)
  })

  test('is held to the contract, as a client of this node is', async () => {
    for (const id of ids) {
      const channel = near.channel(id)
      const { page, title } = channel.other
      expect(await rejection(page.broken())).toBeInstanceOf(RpcValidationError)
      expect(await rejection(page.ask({ text: 5 } as never))).toMatchObject({ code: -32602 })
      expect(await rejection(title())).toMatchObject({ data: { reason: 'not-mounted' } })
      const unknown = await rejection((channel as AnyCaller).call('page.asks'))
      expect(unknown).toBeInstanceOf(RpcConfigError)
      expect(unknown).toMatchObject({ message: expect.stringContaining('"page.ask"') })
      expect(await rejection((channel as AnyCaller).call('page'))).toBeInstanceOf(RpcConfigError)
    }
  })

  test('has no members of other names', () => {
    const { page } = other().other
    expect(Object.keys(page)).toEqual(['ask', 'toast', 'broken', 'steps', 'lines'])
    expect((page as object as { then?: unknown }).then).toBeUndefined()
  })
})

describe('a group of channels at all nodes', () => {
  const values = (outcomes: readonly object[]) =>
    outcomes.map((outcome) => 'value' in outcome && outcome.value).sort()

  test('is called by paths', async () => {
    const room = near.group('room')
    expect(values(await room.call('page.ask', { text: 'hi' }))).toEqual(['hi 0', 'hi 1'])
    expect(values(await near.all.call('page.ask', { text: 'all' }))).toEqual(['all 0', 'all 1'])
    const each: object[] = []
    for await (const outcome of room.each('page.ask', { text: 'each' })) each.push(outcome)
    expect(values(each)).toEqual(['each 0', 'each 1'])
    expect(await room.notify('page.toast', { text: 'both' })).toEqual({
      here: 1,
      elsewhere: 'published',
    })
    await polled(() => [...toasts].sort()).toEqual(['both 0', 'both 1'])
  })

  test('has the errors of the contract', async () => {
    const room = near.group('room')
    for (const outcome of await room.call('page.broken')) {
      expect(outcome).toMatchObject({ status: 'error', error: { name: 'RpcValidationError' } })
    }
    for (const outcome of await (room as AnyGroup).call('page.asks')) {
      expect(outcome).toMatchObject({
        error: { name: 'RpcConfigError', message: expect.stringContaining('"page.ask"') },
      })
    }
  })

  test('tells which methods its members have, by their paths', async () => {
    const { members } = await near.group('room').members()
    expect(members).toHaveLength(2)
    const names = ['page.ask', 'page.toast', 'page.broken', 'page.steps']
    const all = [...names, 'page.lines.count', 'page.lines.sum']
    for (const { methods } of members) expect([...(methods ?? [])].sort()).toEqual(all.sort())
  })
})

describe('without a contract', () => {
  interface Plain {
    page: { ask(params: { text: string }): string; lines: { first(): number } }
  }

  test('clients of another node are called by groups and by paths, too', async () => {
    const make = () =>
      createEndpoint<object, Plain>({
        logger: false,
        cluster: createCluster({ engine: engine(), app: 'plain' }),
        onConnect: (channel) => channel.join('room'),
        methods: {},
      })
    const [one, two] = [make(), make()]
    opened.push(
      () => one.close(),
      () => two.close(),
    )
    const { url } = await one.listen()
    const client = createClient<object, Plain>({
      url,
      logger: false,
      methods: { page: { ask: ({ text }) => `${text}!`, lines: { first: () => 1 } } },
    })
    opened.push(() => client.close())
    await client.connect()
    const { other } = two.channel(client.state.sessionId as string)
    expect(await other.page.ask({ text: 'hi' })).toBe('hi!')
    expect(await other.page.lines.first()).toBe(1)
    await polled(() => two.group('room').call('page.ask', { text: 'all' })).toMatchObject([
      { status: 'ok', value: 'all!' },
    ])
  })
})
