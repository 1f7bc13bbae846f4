import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

/** The methods of each side. The server and the page import it. */
export const contract = defineContract({
  server: {
    /** Asks the page that called before it does anything. */
    deploy: method({ params: z.object({ version: z.string() }), result: z.string() }),
    /** Passes a text on to all pages. */
    say: notification({ params: z.object({ text: z.string() }) }),
    /** The time, once a second. */
    clock: stream({ item: z.string() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
