import {
  defineContract,
  method,
  notification,
} from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  // What the client may call:
  server: {
    add: method({
      params: z.object({ a: z.number(), b: z.number() }),
      result: z.number(),
    }),
  },
  // What the server may call:
  client: {
    confirm: method({
      params: z.object({ text: z.string() }),
      result: z.enum(['yes', 'no']),
    }),
    notify: notification({
      params: z.object({ text: z.string() }),
    }),
  },
})
