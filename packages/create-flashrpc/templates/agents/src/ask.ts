import { createClient } from '@flashrpc/core'
import { contract } from './contract.ts'

/** Asks the orchestrator for a report: npm run ask -- the tides */
const topic = process.argv.slice(2).join(' ') || 'the tides'

await using client = createClient(contract, {
  url: `ws://127.0.0.1:${process.env.PORT ?? 8000}/ws`,
})

const report = await client.other.report(
  { topic },
  {
    // The same topic has the same key: it is reported on once, however often it is asked for.
    idempotencyKey: topic,
    timeout: 60_000,
    onProgress: (finding) => console.log(`found: ${finding}`),
  },
)
console.log(report)
