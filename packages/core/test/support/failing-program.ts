/**
 * A program in which everything fails that no caller is told of: `node … failing-program.ts [silent]`. What the
 * library prints of that is its standard error.
 */
import { createServer } from 'node:http'
import { createClient, defineContract, method, notification } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { WebSocket } from 'ws'
import { z } from 'zod'

const [logger] = process.argv.slice(2)
const silent = logger === 'silent' ? { logger: false as const } : {}

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number() }), result: z.number() }),
    copy: method({ progress: z.number() }),
    cycle: method({ result: z.unknown() }),
    note: notification({ params: z.object({ text: z.string() }) }),
  },
})

const fail = (what: string) => () => {
  throw new Error(what)
}

/** Gives what was caused time to be told. */
const pause = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms))

async function opened(url: string, headers = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers })
  await new Promise((resolve) => {
    socket.on('open', resolve)
    socket.on('error', resolve)
    socket.on('close', resolve)
  })
  return socket
}

const server = createServer()
const endpoint = createEndpoint(contract, {
  ...silent,
  authenticate: ({ headers, socket }) => {
    if (headers['x-fail']) fail('authenticate broke')()
    if (headers['x-answered']) socket.end('HTTP/1.1 200 OK\r\n\r\n')
    return headers['x-name']
  },
  limits: { message: 100_000 },
  owner: (identity) => {
    if (identity === 'owner') fail('owner broke')()
    return undefined
  },
  methods: {
    add: fail('the disk is full'),
    copy: (_, { progress }) => progress(1),
    cycle: () => {
      const ring: { self?: unknown } = {}
      ring.self = ring
      return ring
    },
    note: () => {},
  },
  onConnect: [(channel) => void (channel.identity === 'connect' && fail('onConnect broke')())],
  onDisconnect: [fail('onDisconnect broke')],
  onError: [fail('onError broke')],
  onReject: [fail('onReject broke')],
})
endpoint.attach(server, { path: '/rpc' })
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as { port: number }
const url = `ws://127.0.0.1:${port}/rpc`

const client = createClient(contract, { url, ...silent })
await client.connect()
client.subscribe(fail('subscribe broke'))
// In a loop, what fails a thousand times in a second is printed once.
for (let n = 0; n < 1_000; n++) await client.other.add({ a: 1 }).catch(() => {})
await client.other.cycle().catch(() => {})
await client.other.copy(undefined, { onProgress: fail('onProgress broke') })
await client.other.note({ text: 5 } as never)
await pause()

const plain = await opened(url)
plain.send(JSON.stringify({ jsonrpc: '2.0', method: 'noet', params: {} }))
plain.send('no JSON')
await pause()
await using refused = createClient(contract, { url, headers: { 'x-name': 'connect' }, ...silent })
await refused.connect()
await refused.close()
// At most 20 lines are printed in a second.
await pause(1_000)
await opened(url, { 'x-name': 'owner' })
await opened(url, { 'x-fail': '1' })
await opened(url, { 'x-answered': '1' })
await opened(url, { Origin: 'http://localhost:5173' })
const large = await opened(url)
large.send('x'.repeat(200_000))
await pause()
await client.close()
await endpoint.close()
await pause(1_000)
// A path that nobody serves; at once, as on a server of the endpoint's own.
await using own = createEndpoint(contract, {
  ...silent,
  methods: { add: () => 1, copy: () => {}, cycle: () => 1, note: () => {} },
})
const { url: ownUrl } = await own.listen({ path: '/rpc' })
await opened(ownUrl.replace('/rpc', '/prc?token=secret'))
server.close()
server.closeAllConnections()
console.log('done')
