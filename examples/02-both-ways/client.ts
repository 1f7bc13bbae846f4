import { createClient } from '@flashrpc/core'
import { contract } from './contract.js'

await using client = createClient(contract, {
  url: process.argv[2] ?? 'ws://127.0.0.1:8000/ws',
  methods: {
    confirm: ({ text }) => {
      const answer = text.includes('v2') ? 'yes' : 'no'
      console.log(`asked: ${text} ${answer}`)
      return answer
    },
    notify: ({ text }) => console.log(`told: ${text}`),
  },
})

console.log('v1:', await client.other.deploy({ version: 'v1' }))
console.log('v2:', await client.other.deploy({ version: 'v2' }))
