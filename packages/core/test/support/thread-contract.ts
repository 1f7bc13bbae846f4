import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

const Bytes = z.instanceof(Uint8Array)

/** The methods of a worker thread and of its parent. */
export const threadContract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    reverse: method({ params: z.object({ bytes: Bytes }), result: Bytes }),
    /** The parent's name; the worker asks for it while a call runs. */
    ask: method({ result: z.string() }),
    count: stream({ params: z.object({ to: z.number() }), item: z.number() }),
    hang: method(),
    exit: notification({ params: z.object({ code: z.number() }) }),
  },
  client: { name: method({ result: z.string() }) },
})
