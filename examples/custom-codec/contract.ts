import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

const event = z.object({ title: z.string(), at: z.date() })

/** Dates are dates: the codec sees to it. */
export const contract = defineContract({
  server: {
    postpone: method({ params: z.object({ event, days: z.number() }), result: event }),
    archive: method({ params: z.object({ log: z.string() }), result: z.number() }),
  },
})
