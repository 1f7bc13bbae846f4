import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEndpoint, type ResultStore } from '@flashrpc/core/server'
import { contract } from './contract.js'
import { openFileResultStore } from './file-result-store.js'

/** Where the server stands with a call, as it tells who started it, and waits: it may be killed there. */
export type Point =
  | 'before the call is recorded'
  | 'after that'
  | 'after the charge'
  | 'after its answer is recorded'

const [folder = '.'] = process.argv.slice(2)
const DAY_MS = 24 * 60 * 60_000

const store = await openFileResultStore(join(folder, 'results.jsonl'), DAY_MS)

const endpoint = createEndpoint(contract, {
  idempotency: { store: watched(store) },
  methods: {
    charge: async ({ order, cents }) => {
      // The side effect: a line in the books of the bank.
      appendFileSync(join(folder, 'charges.txt'), `${order}\n`)
      await reach('after the charge')
      return `receipt for ${cents} cents`
    },
  },
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 0) })
process.send?.({ url })
// Whoever started it is gone.
process.once('disconnect', () => process.exit())

/** The same store, which stops where it would be a bad time to die. */
function watched(store: ResultStore): ResultStore {
  return {
    id: store.id,
    ttlMs: store.ttlMs,
    begin: async (key, fingerprint) => {
      await reach('before the call is recorded')
      const begun = await store.begin(key, fingerprint)
      if (begun.state === 'new') await reach('after that')
      return begun
    },
    finish: async (key, answer) => {
      await store.finish(key, answer)
      await reach('after its answer is recorded')
    },
  }
}

async function reach(point: Point): Promise<void> {
  process.send?.({ point })
  await new Promise((resolve) => process.once('message', resolve))
}
