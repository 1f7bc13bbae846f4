import { defineContract, method, notification, stream } from '@flashrpc/core'
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
    /** How often it has been called at this server, this time included. */
    visits: method({ result: z.number() }),
    /** Tells of so many steps, as percent, and then waits so long before it answers. */
    report: method({
      params: z.object({ name: z.string(), steps: z.number(), ms: z.number().default(0) }),
      result: z.string(),
      progress: z.number(),
    }),
    /** Puts the caller into a group, by this name, and takes it out. */
    join: method({ params: z.object({ group: z.string(), name: z.string() }) }),
    leave: method({ params: z.object({ group: z.string() }) }),
    /** Answers nothing. */
    nothing: method(),
    /** Counts from 1, as far as it is told; to null, slowly and for ever. */
    count: stream({ params: z.object({ to: z.number().nullable() }), item: z.number() }),
  },
  client: {
    confirm: method({ params: text, result: z.enum(['yes', 'no']) }),
    notify: notification({ params: text }),
    upper: method({ params: text, result: z.string() }),
  },
})
