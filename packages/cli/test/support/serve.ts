import { setTimeout as wait } from 'node:timers/promises'
import { defineContract, method, notification, RpcError, stream } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    fail: method({ params: z.object({ data: z.any() }) }),
    /** Answers when its caller has given up. */
    hang: method(),
    work: method({ result: z.string(), progress: z.object({ percent: z.number() }) }),
    bytes: method({ params: z.object({ bytes: z.instanceof(Uint8Array) }) }),
    headers: method(),
    charge: method({ result: z.number() }),
    count: stream({ params: z.object({ to: z.number(), everyMs: z.number() }), item: z.number() }),
    sum: method({ input: z.number(), result: z.number() }),
    /** Answers the first item, and reads no further. */
    first: method({ input: z.number(), result: z.number() }),
    /** Each item of its input, twice as much. */
    doubled: stream({ input: z.number(), item: z.number() }),
    /** Yields one item, and nothing after it. */
    silent: stream({ item: z.number() }),
    log: notification({ params: z.object({ text: z.string().optional() }) }),
    color: method({ params: z.object({ name: z.enum(['red', 'blue']).optional() }) }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    tick: notification({ params: z.object({ n: z.number() }) }),
  },
})

export type Options = Partial<EndpointOptions<typeof contract.server, typeof contract.client>>

/** A server, and what happened there. */
export async function serve(options: Options = {}) {
  const logged: unknown[] = []
  const events: string[] = []
  let charged = 0
  let counted = 0
  const endpoint = createEndpoint(contract, {
    discover: true,
    authenticate: async ({ headers }) => headers['x-user'] ?? null,
    methods: {
      add: ({ a, b }) => a + b,
      fail: ({ data }) => {
        throw new RpcError(4001, 'On purpose', data)
      },
      hang: (_, { signal }) =>
        new Promise((resolve) => {
          events.push('hangs')
          signal.addEventListener('abort', () => {
            events.push('aborted')
            resolve(null)
          })
        }),
      work: (_, { progress }) => {
        progress({ percent: 100 })
        return 'done'
      },
      bytes: ({ bytes }) => bytes.map((byte) => byte + 1),
      headers: (_, { identity }) => identity,
      charge: () => ++charged,
      async *count({ to, everyMs }, { signal }) {
        try {
          for (let n = 1; n <= to; n++) {
            if (everyMs > 0) await wait(everyMs, undefined, { signal })
            counted = n
            yield n
          }
        } finally {
          events.push('count ended')
        }
      },
      async sum(_, { input }) {
        let sum = 0
        for await (const item of input) {
          events.push('sums')
          sum += item
        }
        return sum
      },
      async first(_, { input }) {
        for await (const item of input) return item
        return 0
      },
      async *doubled(_, { input }) {
        for await (const item of input) yield item * 2
      },
      async *silent(_, { signal }) {
        try {
          yield 1
          await wait(60_000, undefined, { signal })
        } finally {
          events.push('silent ended')
        }
      },
      log: (params) => void logged.push(params),
      color: ({ name }) => name ?? 'none',
    },
    ...options,
  })
  const { url, port } = await endpoint.listen({ path: '/ws' })
  return {
    url,
    port,
    endpoint,
    logged,
    events,
    /** How far `count` has come. */
    get counted() {
      return counted
    },
    [Symbol.asyncDispose]: () => endpoint.close(),
  }
}
