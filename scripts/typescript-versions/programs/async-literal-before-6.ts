import { createClient } from '@flashrpc/core'
import { client } from './client.js'
import { contract } from './contract.js'

/** The same before TypeScript 6.0, which takes `'yes'` for any string there, and the ways around it. */

// @ts-expect-error: the literal has become a string
client.expose('confirm', async () => 'yes')
createClient(contract, {
  url: 'ws://127.0.0.1',
  // @ts-expect-error: the literal has become a string
  methods: { confirm: async () => 'yes' },
})

createClient(contract, {
  url: 'ws://127.0.0.1',
  // @ts-expect-error: the literal has become a number
  methods: { dice: () => 6 },
})

createClient(contract, { url: 'ws://127.0.0.1', methods: { dice: () => 6 as const } })
client.expose('confirm', async () => 'yes' as const)
client.expose('confirm', async (): Promise<'yes' | 'no'> => 'yes')
client.expose('confirm', () => 'yes')
client.expose('confirm', async ({ text }) => (text === '' ? 'no' : 'yes'))
