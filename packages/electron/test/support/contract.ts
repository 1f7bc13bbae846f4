import { defineContract, method, notification, stream } from '@flashrpc/core'
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
    /** Counts for ever; `aborted` hears when its caller is gone. */
    count: stream({ params: Text, item: z.number() }),
    /** Gives back the bytes that are sent along. */
    loop: stream({ input: z.instanceof(Uint8Array), item: z.instanceof(Uint8Array) }),
    files: {
      reverse: method({
        params: z.object({ bytes: z.instanceof(Uint8Array) }),
        result: z.instanceof(Uint8Array),
      }),
      lines: {
        count: stream({ params: z.object({ upTo: z.number() }), item: z.number() }),
        /** Asks the page's `dialogs.ask`. */
        ask: method({ params: Text, result: z.string() }),
      },
    },
  },
  client: {
    title: method({ result: z.string() }),
    echo: method({ params: Text, result: z.string() }),
    reverse: method({
      params: z.object({ bytes: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
    never: method({ params: Text, result: z.string() }),
    count: stream({ params: z.object({ upTo: z.number() }), item: z.number() }),
    told: notification({ params: Text }),
    dialogs: { ask: method({ params: Text, result: z.string() }) },
  },
})

export type MainSide = (typeof contract)['server']
export type PageSide = (typeof contract)['client']
