import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

/** The methods of each side. Both programs import it. */
export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    /** Asks the caller before it does anything. */
    deploy: method({ params: z.object({ version: z.string() }), result: z.string() }),
    /** Passes a text on to all clients. */
    say: notification({ params: z.object({ text: z.string() }) }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
