import {
  createClient,
  messagePortTransport,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

const client = createClient(contract, {
  transport: () => messagePortTransport(port),
})

for await (const n of client.other.ticks({ everyMs: 300 })) {
  console.log(n)
  if (n === 5) break // ends the generator on the server
}

// Items go along with the call, and come back:
const words = ['both', 'ways']
for await (const text of client.other.shout(undefined, {
  input: words,
})) {
  console.log(text)
}
