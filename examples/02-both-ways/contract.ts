import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

/** What both programs agree on: the server can call its clients, too. */
export const contract = defineContract({
  server: {
    deploy: method({ params: z.object({ version: z.string() }), result: z.string() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
