import { createClient } from '@flashrpc/core'

/** Calls a server that there is not, and says whether the stack of the error shows this function. */
async function askInVain() {
  const client = createClient({ url: 'ws://127.0.0.1:1', timeout: 1, logger: quiet })
  try {
    await client.other.add({ a: 1, b: 2 })
  } catch (error) {
    console.log(error.stack.includes('askInVain') ? 'shown' : 'hidden')
  }
  await client.close()
}

const quiet = { debug() {}, warn() {}, error() {} }
await askInVain()
