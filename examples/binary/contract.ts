import { defineContract, method } from '@flashrpc/core'
import { z } from 'zod'

const file = z.object({ name: z.string(), content: z.instanceof(Uint8Array) })

/** Bytes are a `Uint8Array`, anywhere in params and results. */
export const contract = defineContract({
  server: {
    save: method({ params: z.object({ files: z.array(file) }), result: z.number() }),
    load: method({ params: z.object({ name: z.string() }), result: file }),
  },
  client: {
    sign: method({
      params: z.object({ document: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
  },
})
