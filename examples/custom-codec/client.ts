import { createClient } from '@flashrpc/core'
import { codec } from './codec.js'
import { contract } from './contract.js'

const url = process.argv[2] ?? 'ws://127.0.0.1:8000/ws'
await using client = createClient(contract, { url, codec })

const event = { title: 'Launch', at: new Date('2026-12-24T18:00:00Z') }
const later = await client.other.postpone({ event, days: 7 })
console.log(later.at instanceof Date, later.at.toISOString())

// 2 MB of text; compressed, it is far below the limit of a message.
const log = 'all is well\n'.repeat(170_000)
console.log('archived', await client.other.archive({ log }), 'lines')

// Who has another codec is told at once, and does not try again.
await using stranger = createClient(contract, { url })
try {
  await stranger.connect()
} catch (error) {
  console.log((error as Error).message)
}
