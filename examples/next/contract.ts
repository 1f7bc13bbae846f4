import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    greet: method({ params: z.object({ name: z.string() }), result: z.string() }),
    /** Asks the page, before it answers. */
    deploy: method({ result: z.string() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
  },
})
