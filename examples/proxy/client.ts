import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient, RpcProxyError } from '@flashrpc/core'
import { createProxy } from 'proxy'
import { contract } from './contract.js'

const url = process.argv[2] ?? 'ws://127.0.0.1:8000/ws'

// A proxy as companies have one: it wants a user and a password, and sees all that goes out.
let tunnels = 0
const proxy = createProxy(createServer())
proxy.authenticate = ({ headers }) =>
  headers['proxy-authorization'] === `Basic ${btoa('ada:secret')}`
proxy.on('connect', () => tunnels++)
proxy.listen(0, '127.0.0.1')
await once(proxy, 'listening')
const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`

async function greet(how: string, options: { proxy?: string | false }): Promise<void> {
  const before = tunnels
  await using client = createClient(contract, { url, ...options })
  const greeting = await client.other.greet({ name: 'world' })
  console.log(`${how}: ${greeting} Through the proxy: ${tunnels > before ? 'yes' : 'no'}`)
}

await greet('by the option', { proxy: `http://ada:secret@${address}` })

process.env.HTTP_PROXY = `http://ada:secret@${address}`
await greet('by HTTP_PROXY', {})

process.env.NO_PROXY = '127.0.0.1'
await greet('past it by NO_PROXY', {})

process.env.NO_PROXY = ''
await greet('past it by the option', { proxy: false })

try {
  await greet('without a password', { proxy: `http://${address}` })
} catch (error) {
  const { cause } = error as Error
  if (!(cause instanceof RpcProxyError)) throw error
  console.log(`without a password: HTTP ${cause.httpStatus} from the proxy`)
}

proxy.close()
