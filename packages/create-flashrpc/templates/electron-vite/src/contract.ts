import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

/** The methods of each side: main is the server, and each window's page is a client. */
export const contract = defineContract({
  server: {
    /** Asks the page that called before it does anything. */
    deploy: method({ params: z.object({ version: z.string() }), result: z.string() }),
    /** Passes a text on to all windows. */
    say: notification({ params: z.object({ text: z.string() }) }),
    /** The time, once a second. */
    clock: stream({ item: z.string() }),
    openWindow: method(),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
