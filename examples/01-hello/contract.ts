import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

/** What both programs agree on. */
export const contract = defineContract({
  server: {
    hello: method({ params: z.object({ name: z.string() }), result: z.string() }),
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
  },
})
