import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

/** What a utility process serves. */
export const service = defineContract({
  server: {
    pid: method({ result: z.number() }),
    /** Who the caller is, as main said. */
    whoAmI: method({ result: z.unknown() }),
    reverse: method({
      params: z.object({ bytes: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
    /** Tells every caller; resolves to how many there are. */
    tellAll: method({ params: z.object({ text: z.string() }), result: z.number() }),
    /** Asks the caller back, while its call runs. */
    askBack: method({ result: z.string() }),
    never: method({}),
    close: notification({}),
  },
  client: {
    title: method({ result: z.string() }),
    told: notification({ params: z.object({ text: z.string() }) }),
  },
})
