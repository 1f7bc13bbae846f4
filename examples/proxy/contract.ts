import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

/** What both programs agree on. */
export const contract = defineContract({
  server: {
    greet: method({ params: z.object({ name: z.string() }), result: z.string() }),
  },
  client: {},
})
