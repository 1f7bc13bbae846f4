import { createClient, RpcDisconnectedError, type RpcError } from '@flashrpc/core'
import { contract } from './contract.js'

const url = process.argv[2] ?? 'ws://127.0.0.1:8000/ws'

{
  await using ada = createClient(contract, { url, headers: { authorization: 'Bearer ada-1' } })
  console.log('I am', await ada.other.whoAmI())
  await ada.other.wipe({ disk: 'sda' }).catch((error: RpcError) => {
    console.log(`${error.code}: ${error.message}`)
  })
}

{
  // Asked before every attempt: the first token is too old, and the server is asked once more.
  const tokens = ['grace-0', 'grace-1']
  const headers = () => ({ authorization: `Bearer ${tokens.shift()}` })
  await using grace = createClient(contract, { url, headers })
  console.log(await grace.other.wipe({ disk: 'sdb' }))
}

for (const token of ['nobody', 'mallory-1']) {
  await using client = createClient(contract, {
    url,
    headers: { authorization: `Bearer ${token}` },
  })
  try {
    await client.connect()
  } catch (error) {
    if (!(error instanceof RpcDisconnectedError)) throw error
    console.log(`${token}: HTTP ${error.httpStatus}, so it is ${client.state.status}`)
  }
}
