import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    publish: method({ params: z.object({ text: z.string() }), result: z.number() }),
  },
  client: {
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
