import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    askMe: method({ result: z.enum(['yes', 'no']) }),
  },
  client: { confirm: method({ result: z.enum(['yes', 'no']) }) },
})
