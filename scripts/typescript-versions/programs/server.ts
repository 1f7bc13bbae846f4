import { createServer } from 'node:http'
import { createAudience, createChannel, memoryTransportPair, RpcError } from '@flashrpc/core'
import { createDiscovery } from '@flashrpc/core/discovery'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { tracing } from '@flashrpc/core/opentelemetry'
import { createEndpoint, memoryResultStore, RejectUpgrade } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { contract } from './contract.js'

/** A server of a contract, right handlers and wrong ones, whatever `strict` is. */

export const endpoint = createEndpoint(contract, {
  codec: msgpackCodec,
  idempotency: { store: memoryResultStore() },
  authenticate: (request) => {
    if (request.headers.authorization === 'none') throw new RejectUpgrade(401, 'No credentials')
    return { name: 'Ada' }
  },
  methods: {
    add: ({ a, b }, { identity }) => a + b + identity.name.length,
    color: () => 'red',
    shape: () => ({ kind: 'circle', sides: ['a', 'b'] }),
    ping: () => new Date(),
    async upload({ name }, { input, progress }) {
      let count = 0
      for await (const { line } of input) count += line.length
      progress({ percent: 100 })
      if (name === '') throw new RpcError(4004, 'No name', { name })
      return count
    },
    async *ticks({ everyMs }, { signal }) {
      while (!signal.aborted && everyMs > 0) yield { sound: 'tick' }
    },
    log: ({ line }, { channel }) => channel.other.toast({ text: line }),
  },
  onConnect: [
    async ({ identity, other }) => {
      const answer: 'yes' | 'no' = await other.confirm({ text: identity.name })
      console.log(answer)
    },
  ],
})

endpoint.attach(createServer(), { path: '/rpc' })
export const told: Promise<number> = endpoint.all.notify('toast', { text: 'hi' })
export const some = createAudience(() => endpoint.channels)
export const proxy = createFaultProxy({ port: 8000 })
export const discovery = createDiscovery({ title: 'A server' })

createEndpoint(contract, {
  use: tracing(),
  methods: {
    add: async ({ a, b }) => a + b,
    color: async () => (Date.now() > 0 ? 'red' : 'green'),
    shape: async () => ({ kind: 'square', sides: ['b'] }),
    ping: async () => {},
    upload: () => 1,
    *ticks() {
      yield { sound: 'tock' }
    },
    log: async () => {},
  },
})

/** Handlers that add up: the first value of the sum is a literal, and the sum is not. */
const list = [{ n: 1, s: 'x' }]
createEndpoint<{ sum(): number; later(): number; both(): { sum: number; list: string[] } }>({
  methods: {
    sum: () => list.reduce((sum, { n }) => sum + n, 0),
    later: async () => list.reduce((sum, { n }) => sum + n, 0),
    both: async () => ({
      sum: list.reduce((sum, { n }) => sum + n, 0),
      list: list.reduce<string[]>((all, { s }) => all.concat(s), []),
    }),
  },
})

const [near, far] = memoryTransportPair()
createChannel(contract, {
  side: 'server',
  transport: near,
  methods: { color: () => 'green', shape: () => ({ kind: 'circle', sides: [] }) },
})
createChannel(contract, {
  side: 'client',
  transport: far,
  methods: { shape: async () => ({ kind: 'circle', sides: ['a'] }) },
})

const others = {
  add: () => 1,
  ping: () => 1,
  upload: () => 1,
  ticks: () => [{ sound: 'tick' as const }],
  log: () => {},
}
createEndpoint(contract, {
  methods: {
    ...others,
    color: () => 'red',
    // @ts-expect-error: a wrong literal inside an answer
    shape: () => ({ kind: 'triangle', sides: [] }),
  },
})
createEndpoint(contract, {
  methods: {
    ...others,
    color: () => 'red',
    shape: () => ({ kind: 'circle', sides: [] }),
    // @ts-expect-error: a wrong literal inside an item
    async *ticks() {
      yield { sound: 'boom' }
    },
    // @ts-expect-error: it is not a stream
    async *add() {},
  },
})
createEndpoint(contract, {
  methods: {
    ...others,
    // @ts-expect-error: a wrong answer
    color: async () => 'blue',
    shape: () => ({ kind: 'circle', sides: [] }),
  },
})
createEndpoint(contract, {
  methods: {
    ...others,
    color: () => 'red',
    shape: () => ({ kind: 'circle', sides: [] }),
    // @ts-expect-error: there is no such method
    sub: () => 1,
  },
})
createEndpoint(contract, {
  // @ts-expect-error: a method has no handler
  methods: others,
})
// @ts-expect-error: a notification is not answered
void endpoint.all.call('toast', { text: 'hi' })
