import { createClient, RpcError } from '@flashrpc/core'
import { contract } from './contract.js'

await using client = createClient(contract, { url: process.argv[2] ?? 'ws://127.0.0.1:8000/ws' })

console.log(await client.other.hello({ name: 'world' }))
console.log('5 + 10 =', await client.other.add({ a: 5, b: 10 }))

try {
  // A mistake that the compiler would catch; here is what happens where there is no compiler.
  await client.other.add({ a: 5, b: 'ten' as never })
} catch (error) {
  if (error instanceof RpcError) console.log(`${error.code}: ${error.message}`)
}
