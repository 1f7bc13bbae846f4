import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

/** What the loopbacks of the tests serve. */
export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    /** Asks the client that calls, and answers with what it said. */
    ask: method({ params: z.object({ text: z.string() }), result: z.boolean() }),
    whoAmI: method({ result: z.string() }),
    /** Runs until it is let go. */
    wait: method({ result: z.string() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.boolean() }),
  },
})

export type Contract = typeof contract
