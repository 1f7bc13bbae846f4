import { defineContract, stream } from '@flashrpc/core'
import { z } from 'zod'

export const contract = defineContract({
  server: {
    ticks: stream({
      params: z.object({ everyMs: z.number() }),
      item: z.number(),
    }),
    shout: stream({ input: z.string(), item: z.string() }),
  },
})
