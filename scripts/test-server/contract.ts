import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

const text = z.object({ text: z.string() })

/** What the browser tests' servers and pages agree on. */
export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    /** Answers after a while, so that something can happen meanwhile. */
    slow: method({ params: z.object({ ms: z.number() }), result: z.string() }),
    /** Asks the caller back before it answers. */
    askBack: method({ params: text, result: z.string() }),
  },
  client: {
    confirm: method({ params: text, result: z.enum(['yes', 'no']) }),
    notify: notification({ params: text }),
    upper: method({ params: text, result: z.string() }),
  },
})
