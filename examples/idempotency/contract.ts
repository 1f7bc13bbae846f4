import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

/** What both programs agree on. */
export const contract = defineContract({
  server: {
    charge: method({
      params: z.object({ order: z.string(), cents: z.number() }),
      result: z.string(),
    }),
  },
  client: {},
})
