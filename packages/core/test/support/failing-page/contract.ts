import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  client: {
    confirm: method({ result: z.boolean() }),
    toast: notification({ params: z.object({ text: z.string() }) }),
  },
})
