import { createClient } from '@flashrpc/core'
import { contract } from './contract.ts'

const [text = 'Hello'] = process.argv.slice(2)
const client = createClient(contract, {
  url: 'ws://127.0.0.1:8000/ws',
  methods: { notify: ({ text }) => console.log(text) },
})
console.log(`published as number ${await client.other.publish({ text })}`)
await client.close()
