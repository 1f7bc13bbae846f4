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

for (const year of [2026, 3000, -1]) {
  try {
    console.log(await client.other.find({ year }))
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    console.log(error.code, error.message, error.data)
  }
}
