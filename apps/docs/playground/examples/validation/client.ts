import {
  createClient,
  messagePortTransport,
  RpcError,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

const client = createClient(contract, {
  transport: () => messagePortTransport(port),
})

console.log(
  await client.other.register({ name: 'Ada', age: 36 }),
)

try {
  // The types are right, the values are not:
  await client.other.register({ name: '', age: -1 })
} catch (error) {
  if (!(error instanceof RpcError)) throw error
  console.log(error.code, error.data)
}

// An error that is not caught is shown with its line:
await client.other.register({ name: 'Eve', age: 1.5 })
