import { z } from 'zod'
import type { Core } from '../../bench/builds.ts'

/** What both sides of a walk agree on, made by a build of flashrpc. */
export function contractOf({ defineContract, method, stream }: Core) {
  return defineContract({
    server: {
      add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
      slow: method({ result: z.string() }),
      count: stream({ params: z.object({ n: z.number() }), item: z.number() }),
      ticks: stream({ item: z.number() }),
    },
  })
}
