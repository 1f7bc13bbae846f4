import { createClient } from '@flashrpc/core'
import { client } from './client.js'
import { contract } from './contract.js'

/** Mistakes that TypeScript can find only if `strict` is true. */

// @ts-expect-error: params are missing
void client.other.add()
// @ts-expect-error: one of the params is missing
void client.other.add({ a: 1, b: undefined })
// @ts-expect-error: an answer is missing
client.expose('confirm', () => undefined)
// @ts-expect-error: an address is missing
createClient(contract, { url: undefined })
// @ts-expect-error: the error may be missing
client.subscribe(({ lastError }) => console.log(lastError.message))
