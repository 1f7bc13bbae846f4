import { z } from 'zod'
import type { Core } from './builds.ts'

const value = z.record(z.string(), z.unknown())

/** What flashrpc's two peers agree on, made by a build of it. */
export function contractOf({ defineContract, method, notification }: Core) {
  return defineContract({
    server: {
      add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
      echo: method({ params: value, result: value }),
      bytes: method({
        params: z.object({ value: z.instanceof(Uint8Array) }),
        result: z.instanceof(Uint8Array),
      }),
    },
    client: {
      double: method({ params: z.object({ n: z.number() }), result: z.number() }),
      note: notification({ params: z.object({ n: z.number(), text: z.string() }) }),
    },
  })
}
