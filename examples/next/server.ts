import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEndpoint } from '@flashrpc/core/server'
import next from 'next'
import { contract } from './contract.js'

const endpoint = createEndpoint(contract, {
  methods: {
    greet: ({ name }) => `Hello, ${name}`,
    async deploy(_, { channel }) {
      return (await channel.other.confirm({ text: 'Deploy?' })) === 'yes' ? 'Deployed' : 'Cancelled'
    },
  },
})

const server = createServer()
// `/rpc` is flashrpc's; every other upgrade stays Next's, which reloads pages by one while you develop.
endpoint.attach(server, { path: '/rpc' })
const dev = process.env.NODE_ENV !== 'production'
const app = next({ dev, dir: import.meta.dirname, httpServer: server })
await app.prepare()
server.on('request', app.getRequestHandler())

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  // For the server's own client, in app/prefetched.
  process.env.RPC_URL = `ws://127.0.0.1:${port}/rpc`
  console.log(`listening on http://127.0.0.1:${port}`)
})

process.once('SIGTERM', async () => {
  server.close()
  await endpoint.close({ drain: 1_000 })
  await app.close()
  process.exit()
})
