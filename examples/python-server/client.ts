import { EventEmitter, once } from 'node:events'
import { createClient } from '@flashrpc/core'
import { pythonDialect } from '@flashrpc/core/python'
import { contract } from './contract.js'

/** What the page does, without a page. */

const told = new EventEmitter()

await using client = createClient(contract, {
  url: process.argv[2] ?? 'ws://127.0.0.1:8000/ws',
  dialect: pythonDialect(),
  methods: {
    confirm: ({ text }) => {
      const answer = text.includes('v2') ? 'yes' : 'no'
      console.log(`asked: ${text} ${answer}`)
      return answer
    },
    notify: ({ text }) => {
      console.log(`told: ${text}`)
      told.emit(text)
    },
  },
})

for (const { version, changes } of await client.other.releases()) {
  console.log(`${version}: ${changes.join(', ')}`)
}

const cancelled = once(told, 'v1: cancelled')
await client.other.deploy({ version: 'v1' })
await cancelled

const deployed = once(told, 'v2: deployed')
await client.other.deploy({ version: 'v2' })
await deployed
