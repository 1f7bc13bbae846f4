import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    color: method({ result: z.enum(['red', 'green']) }),
    shape: method({
      result: z.object({ kind: z.enum(['circle', 'square']), sides: z.array(z.enum(['a', 'b'])) }),
    }),
    ping: method(),
    upload: method({
      params: z.object({ name: z.string() }),
      input: z.object({ line: z.string() }),
      progress: z.object({ percent: z.number() }),
      result: z.number(),
    }),
    ticks: stream({
      params: z.object({ everyMs: z.number() }),
      item: z.object({ sound: z.enum(['tick', 'tock']) }),
    }),
    log: notification({ params: z.object({ line: z.string() }) }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    shape: method({
      result: z.object({ kind: z.enum(['circle', 'square']), sides: z.array(z.enum(['a', 'b'])) }),
    }),
    dice: method({ result: z.union([z.literal(1), z.literal(6)]) }),
    toast: notification({ params: z.object({ text: z.string() }) }),
  },
})
