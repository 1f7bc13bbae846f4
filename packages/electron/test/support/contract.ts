import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

const Text = z.object({ text: z.string() })

/** What main and the test's pages agree on. */
export const contract = defineContract({
  server: {
    echo: method({ params: Text, result: z.string() }),
    reverse: method({
      params: z.object({ bytes: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
    /** Never answered; `aborted` hears when its caller is gone. */
    never: method({ params: Text, result: z.string() }),
    /** The origin that main knows the caller by, and its title, asked back while the call runs. */
    who: method({ result: z.object({ origin: z.string(), title: z.string() }) }),
    fail: method({ result: z.string() }),
  },
  client: {
    title: method({ result: z.string() }),
    echo: method({ params: Text, result: z.string() }),
    reverse: method({
      params: z.object({ bytes: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
    never: method({ params: Text, result: z.string() }),
    told: notification({ params: Text }),
  },
})

export type MainSide = (typeof contract)['server']
export type PageSide = (typeof contract)['client']
