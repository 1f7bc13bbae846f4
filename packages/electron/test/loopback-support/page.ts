import { type Client, createClient } from '@flashrpc/core'
import { type Contract, contract } from './contract.js'

/** What a page of the tests can do, by name. */
export interface PageFunctions {
  /** Connects as an app does, and calls; the client stays connected. */
  callBothWays(url: string): Promise<{ sum: number; said: boolean; who: string }>
  /** What becomes of a WebSocket: whether it opens. */
  attempt(url: string): Promise<'open' | 'refused'>
}

let client: Client<Contract['client'], Contract['server']> | undefined

const functions: PageFunctions = {
  async callBothWays(url) {
    client = createClient(contract, { url })
    client.expose('confirm', ({ text }) => text === 'Quit?')
    const sum = await client.other.add({ a: 5, b: 10 })
    const said = await client.other.ask({ text: 'Quit?' })
    return { sum, said, who: await client.other.whoAmI() }
  },
  attempt(url) {
    return new Promise((resolve) => {
      const socket = new WebSocket(url)
      socket.addEventListener('open', () => {
        socket.close()
        resolve('open')
      })
      socket.addEventListener('error', () => resolve('refused'))
    })
  },
}
Object.assign(globalThis, functions)
