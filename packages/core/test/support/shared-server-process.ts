import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyWebSocket from '@fastify/websocket'
import { createEndpoint } from '@flashrpc/core/server'
import { attach as attachEngine } from 'engine.io'
import { fastify } from 'fastify'
import { WebSocketServer } from 'ws'

/**
 * A server in a process of its own, which an endpoint shares with another library, as programs load that: the tests'
 * own process has other conditions. Arguments: the library, and whether the endpoint is attached `before` or `after` it.
 */
const [library = '', when = 'before'] = process.argv.slice(2)

const endpoint = createEndpoint<{ ping(): string }>({
  methods: { ping: () => 'pong' },
  // Longer than engine.io bears an upgrade that it does not know.
  authenticate: () => new Promise((resolve) => setTimeout(resolve, 1_300)),
})

const app = fastify()
const server = library === 'fastify' ? app.server : createServer()
if (when === 'before') endpoint.attach(server, { path: '/rpc' })
if (library === 'ws') {
  const other = new WebSocketServer({ server, path: '/other' })
  other.on('connection', (socket) => socket.send('I am ws'))
} else if (library === 'engine.io') {
  const other = attachEngine(server, { path: '/other', destroyUpgradeTimeout: 1_000 })
  other.on('connection', (socket: { send(text: string): void }) => socket.send('I am engine.io'))
} else {
  await app.register(fastifyWebSocket)
  app.get('/other', { websocket: true }, (socket) => socket.send('I am fastify'))
}
if (library === 'fastify') await app.listen({ port: 0, host: '127.0.0.1' })
else await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
if (when === 'after') endpoint.attach(server, { path: '/rpc' })

process.on('disconnect', () => process.exit())
process.send?.({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` })
