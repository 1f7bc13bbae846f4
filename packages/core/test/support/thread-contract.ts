import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

const Bytes = z.instanceof(Uint8Array)

/** What a worker thread and its parent can call each other for. */
export const threadContract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    reverse: method({ params: z.object({ bytes: Bytes }), result: Bytes }),
    /** The parent's name, asked back while the call runs. */
    ask: method({ result: z.string() }),
    count: stream({ params: z.object({ to: z.number() }), item: z.number() }),
    hang: method(),
    exit: notification({ params: z.object({ code: z.number() }) }),
  },
  client: { name: method({ result: z.string() }) },
})
