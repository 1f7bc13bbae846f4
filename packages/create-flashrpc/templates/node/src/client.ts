import { createClient } from '@flashrpc/core'
import { contract } from './contract.ts'

const client = createClient(contract, {
  url: process.env.SERVER_URL ?? 'ws://127.0.0.1:8000/ws',
  // The server calls these.
  methods: {
    confirm({ text }) {
      console.log(`the server asks: ${text} yes`)
      return 'yes'
    },
    notify: ({ text }) => console.log(`the server says: ${text}`),
  },
})

console.log(`5 + 10 = ${await client.other.add({ a: 5, b: 10 })}`)
console.log(await client.other.deploy({ version: 'v1' }))
await client.other.say({ text: 'Hello, everyone' })
// It stays connected until Ctrl-C, and prints what other clients say.
