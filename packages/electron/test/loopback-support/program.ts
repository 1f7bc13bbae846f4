import { createClient } from '@flashrpc/core'
import { contract } from './contract.js'

/** A program of the app, told by its environment where to connect. It tells its parent what came of it. */
const { LOOPBACK_ADDRESS = '', LOOPBACK_TOKEN = '' } = process.env
const client = createClient(contract, {
  url: LOOPBACK_ADDRESS,
  headers: { authorization: `Bearer ${LOOPBACK_TOKEN}` },
  proxy: false,
})
client.expose('confirm', ({ text }) => text === 'Quit?')
const sum = await client.other.add({ a: 5, b: 10 })
const said = await client.other.ask({ text: 'Quit?' })
process.send?.({ sum, said, state: client.state.status })
await client.close()
