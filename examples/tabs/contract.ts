import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

const text = z.object({ text: z.string() })

export const contract = defineContract({
  server: {
    /** Asks the user first, after a while: time to look at another tab. */
    deploy: method({ params: z.object({ afterMs: z.number() }), result: z.string() }),
    /** How much there is to do, from now on. */
    load: stream({ item: z.number() }),
  },
  client: {
    confirm: method({ params: text, result: z.enum(['yes', 'no']) }),
    notify: notification({ params: text }),
  },
})
