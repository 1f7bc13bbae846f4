import { createClient } from '@flashrpc/core'
import { contract } from './contract.js'
import { serve } from './serve.js'

const server = await serve()
const client = createClient(contract, { url: server.url, methods: { confirm: () => 'yes' } })
const sum = await client.other.add({ a: 5, b: 10 })
const answer = await client.other.askMe()
await client.close()
await server.close()
console.log(`${process.version}: ${sum}, ${answer}`)
