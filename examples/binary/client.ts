import { createHash } from 'node:crypto'
import { createClient } from '@flashrpc/core'
import { contract } from './contract.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

await using client = createClient(contract, {
  url: process.argv[2] ?? 'ws://127.0.0.1:8000/ws',
  methods: { sign: ({ document }) => sha256(document) },
  limits: { message: 16 * 1024 * 1024, queuedBytes: 16 * 1024 * 1024 },
})

const pixels = new Uint8Array(4 * 1024 * 1024).fill(0x7f)
const note = new TextEncoder().encode('Grüße')

const files = [
  { name: 'pixels', content: pixels },
  { name: 'note', content: note },
]
console.log('saved', await client.other.save({ files }), 'bytes')

const loaded = await client.other.load({ name: 'pixels' })
console.log(
  'loaded',
  loaded.content.byteLength,
  'bytes, unchanged:',
  sha256(loaded.content).equals(sha256(pixels)),
)

const signature = await client.other.load({ name: 'note.signature' })
console.log('signature', Buffer.from(signature.content).toString('hex').slice(0, 16))
