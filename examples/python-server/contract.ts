import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

/** What server.py has, and what it calls. */
export const contract = defineContract({
  server: {
    releases: method({
      result: z.array(z.object({ version: z.string(), changes: z.array(z.string()) })),
    }),
    deploy: method({ params: z.object({ version: z.string() }), result: z.void() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
