import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    register: method({
      params: z.object({
        name: z.string().min(1),
        age: z.number().int().min(0),
      }),
      result: z.string(),
    }),
  },
})
