import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    publish: method({ params: z.object({ text: z.string() }), result: z.number() }),
    clear: method({ result: z.boolean() }),
    clock: stream({ item: z.string() }),
  },
  client: {
    notify: notification({ params: z.object({ text: z.string() }) }),
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
  },
})
