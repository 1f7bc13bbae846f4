import {
  createClient,
  messagePortTransport,
  RpcAbortedError,
  RpcTimeoutError,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

const client = createClient(contract, {
  transport: () => messagePortTransport(port),
})

// Cancel it when half of it is done:
const controller = new AbortController()
try {
  await client.other.report(
    { year: 2025 },
    {
      signal: controller.signal,
      onProgress({ percent }) {
        console.log(`${percent} %`)
        if (percent >= 60) controller.abort()
      },
    },
  )
} catch (error) {
  if (!(error instanceof RpcAbortedError)) throw error
  console.log(`cancelled, outcome: ${error.outcome}`)
}

// A time limit cancels a call in the same way:
try {
  await client.other.report({ year: 2026 }, { timeout: 500 })
} catch (error) {
  if (!(error instanceof RpcTimeoutError)) throw error
  console.log(`timed out, outcome: ${error.outcome}`)
}
