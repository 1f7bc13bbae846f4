import {
  type CallOptions,
  type Client,
  defineContract,
  type Handlers,
  method,
  type RpcStream,
  stream,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: {
    ticks: stream({ params: z.object({ everyMs: z.number() }), item: z.number() }),
    lengths: stream({ item: z.string().transform((text) => text.length) }),
    anything: stream(),
    upload: method({
      params: z.object({ name: z.string() }),
      input: z.coerce.date(),
      result: z.number(),
    }),
    shout: stream({ input: z.string(), item: z.string() }),
    add: method({ params: z.object({ a: z.number() }), result: z.number() }),
  },
})
type Server = typeof contract.server
declare const client: Client<typeof contract.client, Server>

// ── Calling ───────────────────────────────────────────────────────────────────────────────────────

expectTypeOf(client.other.ticks({ everyMs: 1 })).toEqualTypeOf<RpcStream<number>>()
expectTypeOf(client.other.ticks).parameters.toEqualTypeOf<
  [params: { everyMs: number }, options?: CallOptions]
>()
// What the schema makes.
expectTypeOf(client.other.lengths()).toEqualTypeOf<RpcStream<number>>()
expectTypeOf(client.other.anything()).toEqualTypeOf<RpcStream<unknown>>()
for await (const n of client.other.ticks({ everyMs: 1 })) expectTypeOf(n).toEqualTypeOf<number>()

// Input is what its schema takes, and has to be there.
expectTypeOf(client.other.upload({ name: 'a' }, { input: [new Date()] })).toEqualTypeOf<
  Promise<number>
>()
client.other.upload({ name: 'a' }, { input: new ReadableStream<Date>(), timeout: 5 })
// @ts-expect-error: no input
client.other.upload({ name: 'a' })
// @ts-expect-error: no input
client.other.upload({ name: 'a' }, { timeout: 5 })
// @ts-expect-error: of another type
client.other.shout(undefined, { input: [1] })
// @ts-expect-error: it takes none
client.other.add({ a: 1 }, { input: [1] })
expectTypeOf(client.other.shout(undefined, { input: 'abc' })).toEqualTypeOf<RpcStream<string>>()

// By name.
expectTypeOf(client.stream('ticks', { everyMs: 1 })).toEqualTypeOf<RpcStream<number>>()
// @ts-expect-error: a method is no stream
client.stream('add', { a: 1 })
// @ts-expect-error: a stream is no method
void client.call('ticks', { everyMs: 1 })

// ── Serving ───────────────────────────────────────────────────────────────────────────────────────

createEndpoint(contract, {
  authenticate: () => ({ name: 'ada' }),
  methods: {
    async *ticks({ everyMs }, { input, identity }) {
      expectTypeOf(everyMs).toEqualTypeOf<number>()
      expectTypeOf(identity).toEqualTypeOf<{ name: string }>()
      expectTypeOf(input).toEqualTypeOf<AsyncGenerator<never, void, undefined>>()
      yield everyMs
    },
    // What the schema takes.
    lengths: () => ['a', 'b'],
    anything: async () => new ReadableStream<Uint8Array>(),
    async upload({ name }, { input }) {
      let last = 0
      for await (const date of input) {
        expectTypeOf(date).toEqualTypeOf<Date>()
        last = date.getTime() + name.length
      }
      return last
    },
    async *shout(_, { input }) {
      for await (const text of input) yield text.toUpperCase()
    },
    add: ({ a }) => a,
  },
})

// @ts-expect-error: items of another type
const wrong: Handlers<Server>['ticks'] = async function* () {
  yield 'a'
}
// @ts-expect-error: no items
const none: Handlers<Server>['ticks'] = () => 5
void [wrong, none]

// ── Without a contract ────────────────────────────────────────────────────────────────────────────

interface Plain {
  ticks(params: { everyMs: number }): AsyncIterable<number>
  generator(): AsyncGenerator<string, void, undefined>
  any(): never
  list(): number[]
}
declare const plain: Client<Record<never, never>, Plain>
expectTypeOf(plain.stream('ticks', { everyMs: 1 })).toEqualTypeOf<RpcStream<number>>()
expectTypeOf(plain.stream('generator')).toEqualTypeOf<RpcStream<string>>()
expectTypeOf(plain.other.list()).toEqualTypeOf<Promise<number[]>>()
expectTypeOf<keyof typeof plain.other>().toEqualTypeOf<'any' | 'list'>()
// @ts-expect-error: nothing at run time tells that it is a stream
plain.other.ticks({ everyMs: 1 })
createEndpoint<Plain>({
  methods: {
    async *ticks({ everyMs }) {
      yield everyMs
    },
    generator: () => ['a'],
    any: () => {
      throw new Error()
    },
    list: () => [1],
  },
})
