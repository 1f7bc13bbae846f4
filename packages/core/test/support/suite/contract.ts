import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

const empty = z.void()
const descend = method({ params: z.object({ depth: z.number() }), result: z.string() })
const note = notification({ params: z.object({ n: z.number() }) })
const bytes = z.instanceof(Uint8Array)
const hang = method({ params: z.object({ key: z.string() }), result: empty })

/** Counts from 0; tells `fates` when it ends. */
const count = stream({
  params: z.object({ upTo: z.number().optional(), key: z.string().optional() }),
  item: z.number(),
})

/** What the two ends of the transports' suite agree on. */
export const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    /** Fails on purpose. */
    fail: method({
      params: z.object({ code: z.number(), message: z.string(), data: z.unknown() }),
    }),
    /** Calls the caller's `descend`, and so on, down to 0. */
    descend,
    /** Calls the caller's `double` for each number from 1, all at once, and adds up. */
    sumOfDoubles: method({ params: z.object({ upTo: z.number() }), result: z.number() }),
    note,
    /** What `note` heard, in its order. */
    notes: method({ result: z.array(z.number()) }),
    /** Sends the caller as many `note`s. */
    tell: method({ params: z.object({ times: z.number() }), result: empty }),
    /** Never answers; tells `fates` when its signal aborts. */
    hang,
    /** Calls the caller's `hang`, and tells `fates` what became of it. */
    askHang: method({ params: z.object({ key: z.string() }), result: empty }),
    /** What became of the calls with this key, whichever channel they came over. */
    fates: method({ params: z.object({ key: z.string() }), result: z.array(z.string()) }),
    count,
    /** Takes the caller's `count`, and adds up. */
    sumOfCount: method({ params: z.object({ upTo: z.number() }), result: z.number() }),
    /** Adds up what is sent along, of which it takes no more than so many. */
    sum: method({
      params: z.object({ most: z.number().optional() }),
      input: z.number(),
      result: z.number(),
    }),
    /** Gives back each text that is sent along, larger. */
    shout: stream({ item: z.string(), input: z.string() }),
    /** Closes the channel from this side. */
    leave: method({ result: empty }),
    /** A group of methods, which has a group itself. */
    files: {
      reverse: method({ params: z.object({ bytes }), result: bytes }),
      lines: {
        count,
        shout: stream({ item: z.string(), input: z.string() }),
        /** Tells `fates`. */
        mark: notification({ params: z.object({ key: z.string() }) }),
        /** Calls the caller's `view.dialogs.ask`. */
        ask: method({ params: z.object({ text: z.string() }), result: z.string() }),
      },
    },
  },
  client: {
    double: method({ params: z.object({ n: z.number() }), result: z.number() }),
    descend,
    note,
    hang,
    count,
    view: {
      dialogs: { ask: method({ params: z.object({ text: z.string() }), result: z.string() }) },
    },
  },
})
