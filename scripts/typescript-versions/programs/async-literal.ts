import { createClient } from '@flashrpc/core'
import { client } from './client.js'
import { contract } from './contract.js'

/** Handlers that return a single literal from an async function, or a number: TypeScript 6.0 and newer keep it. */

client.expose('confirm', async () => 'yes')
createClient(contract, { url: 'ws://127.0.0.1', methods: { confirm: async () => 'yes' } })
createClient(contract, { url: 'ws://127.0.0.1', methods: { dice: () => 6 } })
