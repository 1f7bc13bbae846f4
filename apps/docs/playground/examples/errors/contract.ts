import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    find: method({
      params: z.object({ year: z.number() }),
      result: z.string(),
    }),
  },
})
