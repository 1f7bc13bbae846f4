import { defineContract, method, stream } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    /** The node that this client's session is on, and the session. */
    whereAmI: method({ result: z.object({ node: z.string(), session: z.string() }) }),
    /** 0, 1, 2 and so on: a number that is missing, or comes twice, can be seen. */
    count: stream({ item: z.number() }),
    /** Tells it to the clients of all nodes, and answers how many have heard it. */
    say: method({ params: z.object({ text: z.string() }), result: z.number() }),
  },
  client: {
    hear: method({
      params: z.object({ node: z.string(), text: z.string() }),
      result: z.literal('heard'),
    }),
  },
})
