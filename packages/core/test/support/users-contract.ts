import { method } from '@flashrpc/core'
import { z } from 'zod'

/** A group of a contract: what a module exports. */
export const get = method({
  params: z.object({ id: z.string() }),
  result: z.object({ id: z.string(), name: z.string() }),
})
