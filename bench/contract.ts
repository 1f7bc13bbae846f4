import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

const value = z.record(z.string(), z.unknown())

/** What flashrpc's two peers agree on. */
export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    echo: method({ params: value, result: value }),
    bytes: method({
      params: z.object({ value: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
  },
  client: {
    double: method({ params: z.object({ n: z.number() }), result: z.number() }),
    note: notification({ params: z.object({ n: z.number(), text: z.string() }) }),
  },
})
