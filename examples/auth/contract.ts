import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

/** What both programs agree on. */
export const contract = defineContract({
  server: {
    whoAmI: method({ result: z.string() }),
    wipe: method({ params: z.object({ disk: z.string() }), result: z.string() }),
  },
  client: {},
})
