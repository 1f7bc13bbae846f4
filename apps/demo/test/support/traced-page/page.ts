import { createClient } from '@flashrpc/core'

interface Server {
  add(params: { a: number; b: number }): number
}

/** Calls a server that there is not, and shows the stack of the error. */
async function askFromThePage(): Promise<string> {
  const client = createClient<Server>({ url: 'ws://127.0.0.1:1', timeout: 1 })
  try {
    return String(await client.other.add({ a: 1, b: 2 }))
  } catch (thrown) {
    return (thrown as Error).stack ?? ''
  } finally {
    await client.close()
  }
}

const shown = document.querySelector('pre')
if (shown) shown.textContent = await askFromThePage()
