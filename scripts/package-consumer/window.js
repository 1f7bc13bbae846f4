import { createClient } from '@flashrpc/core'
import { electronTransport } from '@flashrpc/electron/renderer'
import { contract } from './contract.js'

const client = createClient(contract, {
  transport: electronTransport(),
  methods: { confirm: () => 'yes' },
})
globalThis.sum = client.other.add({ a: 5, b: 10 })
