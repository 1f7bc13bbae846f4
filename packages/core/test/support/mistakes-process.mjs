import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createChannel,
  createClient,
  defineContract,
  memoryTransportPair,
  method,
  notification,
  stream,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint, RejectUpgrade } from '@flashrpc/core/server'
import { z } from 'zod'

/**
 * The mistakes of newcomers, each made as in a program of its own, without a compiler. For each of them its name goes to
 * stderr, then what is printed there by default, and what is thrown.
 */

const numbers = z.object({ a: z.number(), b: z.number() })
const text = z.object({ text: z.string() })
const contract = defineContract({
  server: {
    add: method({ params: numbers, result: z.number() }),
    log: notification({ params: text }),
    count: stream({ params: z.object({ upTo: z.number() }), item: z.number() }),
  },
  client: {
    confirm: method({ params: text, result: z.enum(['yes', 'no']) }),
    notify: notification({ params: text }),
  },
})
const methods = {
  add: ({ a, b }) => a + b,
  log: () => {},
  async *count({ upTo }) {
    for (let n = 1; n <= upTo; n++) yield n
  },
}
const five = { a: 2, b: 3 }

/** What a mistake has opened. */
const opened = new Set()

/** Makes an endpoint, of which each mistake has its own. */
function endpointOf(options, ofContract = contract) {
  const endpoint = createEndpoint(ofContract, { methods, ...options })
  opened.add(endpoint)
  return endpoint
}

/** @returns the address of a server. */
async function serve(options, ofContract) {
  const { url } = await endpointOf(options, ofContract).listen({ path: '/ws' })
  return url
}

function connect(options, ofContract = contract) {
  const client = createClient(ofContract, { timeout: 400, ...options })
  opened.add(client)
  return client
}

/** @returns the address of a port on which nobody listens. */
async function nobody() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return `ws://127.0.0.1:${port}/ws`
}

async function serveHttp(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.add({
    close() {
      server.closeAllConnections()
      server.close()
    },
  })
  return { server, address: `127.0.0.1:${server.address().port}` }
}

/** What a mistake has printed so far. */
let output = ''
const write = process.stderr.write.bind(process.stderr)
process.stderr.write = (chunk, ...others) => {
  output += chunk
  return write(chunk, ...others)
}

/** Waits until the other side has printed a text; if it does not, the test finds that it is missing. */
async function printed(text) {
  const deadline = performance.now() + 10_000
  while (!output.includes(text) && performance.now() < deadline) await sleep(5)
}

const mistakes = {
  'the server is not running': async () => connect({ url: await nobody() }).other.add(five),
  'the port is of another server': async () => {
    const { address } = await serveHttp((_, response) => response.end('<!doctype html>'))
    await connect({ url: `ws://${address}/ws` }).other.add(five)
  },
  'the path is wrong': async () => {
    await connect({ url: (await serve()).replace('/ws', '/rpc') }).other.add(five)
  },
  'allowedOrigins is forgotten': async () => {
    const headers = { Origin: 'http://localhost:5173' }
    await connect({ url: await serve(), headers }).other.add(five)
  },
  'allowedOrigins has a path': () => endpointOf({ allowedOrigins: ['http://localhost:5173/'] }),
  'the url is forgotten': () => connect({}),
  'the url has another scheme': () => connect({ url: 'http://127.0.0.1:8000/ws' }),
  'the url is relative': () => connect({ url: '/ws' }),
  'a call by a misspelt name': async () => connect({ url: await serve() }).call('ad', five),
  'wrong params': async () => connect({ url: await serve() }).other.add({ a: 2, b: '3' }),
  'params are not an object': async () => connect({ url: await serve() }).other.add(2),
  'params are two arguments': async () => connect({ url: await serve() }).other.add(2, 3),
  'a handler is missing': async () =>
    connect({ url: await serve({ methods: {} }) }).other.add(five),
  'a handler has a misspelt name': () => endpointOf({ methods: { ...methods, ad: () => 5 } }),
  'a handler is not a function': () => endpointOf({ methods: { ...methods, add: 5 } }),
  'a handler throws': async () => {
    const add = () => {
      throw new TypeError("Cannot read properties of undefined (reading 'rows')")
    }
    await connect({ url: await serve({ methods: { add } }) }).other.add(five)
  },
  'a handler returns another type than it should': async () => {
    await connect({ url: await serve({ methods: { add: () => '5' } }) }).other.add(five)
  },
  'a handler returns nothing': async () => {
    await connect({ url: await serve({ methods: { add: () => {} } }) }).other.add(five)
  },
  'a handler is for a method of the other side': () =>
    endpointOf({ methods: { ...methods, confirm: () => 'yes' } }),
  'a handler never answers': async () => {
    await connect({
      url: await serve({ methods: { add: () => new Promise(() => {}) } }),
    }).other.add(five)
  },
  'a date over JSON': async () => {
    const dated = defineContract({ server: { now: method({ result: z.date() }) } })
    const url = await serve({ methods: { now: () => new Date(0) } }, dated)
    await connect({ url }, dated).other.now()
  },
  'onConnect throws': async () => {
    const fail = () => {
      throw new Error('no such table')
    }
    await connect({ url: await serve({ onConnect: [fail] }) }).other.add(five)
    await printed('no such table')
  },
  'a misspelt option of a client': () => connect({ url: 'ws://127.0.0.1:1', autoconnect: false }),
  'a misspelt option of an endpoint': () =>
    endpointOf({ allowedOrigin: ['http://localhost:5173'] }),
  'a misspelt option of a call': async () => {
    await connect({ url: await serve() }).other.add(five, { timeOut: 5 })
  },
  'a misspelt option of listen': () => endpointOf({}).listen({ Port: 8000 }),
  'a misspelt side of a contract': () => defineContract({ sever: {} }),
  'a misspelt part of a method': () =>
    defineContract({ server: { add: method({ param: numbers }) } }),
  'params that are not a schema': () => defineContract({ server: { add: method({ params: 5 }) } }),
  'a side with a plain function': () => defineContract({ server: { add: ({ a, b }) => a + b } }),
  'a call before connect': async () => {
    await connect({ url: await serve(), autoConnect: false }).other.add(five)
  },
  'a call after close': async () => {
    const client = connect({ url: await serve() })
    await client.close()
    await client.other.add(five)
  },
  'the port is in use': async () => {
    const port = Number(new URL(await serve()).port)
    await endpointOf({}).listen({ port })
  },
  'two endpoints on one path': async () => {
    const { server } = await serveHttp()
    endpointOf({}).attach(server, { path: '/ws' })
    endpointOf({}).attach(server, { path: '/ws' })
  },
  'a path without a slash': () => endpointOf({}).listen({ path: 'ws' }),
  'the token is missing': async () => {
    const authenticate = ({ headers }) => {
      if (!headers.authorization) throw new RejectUpgrade(401, 'A token is missing')
      return {}
    }
    await connect({ url: await serve({ authenticate }) }).other.add(five)
  },
  'a notification with wrong params': async () => {
    const client = connect({ url: await serve() })
    await client.other.log({ txet: 'hello' })
    await printed('Invalid params')
  },
  'the server calls a page without a handler': async () => {
    const asked = Promise.withResolvers?.() ?? withResolvers()
    const ask = (channel) =>
      channel.other.confirm({ text: 'Deploy?' }).then(asked.resolve, asked.reject)
    connect({ url: await serve({ onConnect: [ask] }) })
    await asked.promise
  },
  'a message is too large': async () => {
    const big = defineContract({ server: { save: method({ params: text }) } })
    const url = await serve({ methods: { save: () => {} }, limits: { message: 10_000 } }, big)
    const client = connect({ url }, big)
    await client.other.save({ text: '' })
    await client.other.save({ text: 'x'.repeat(20_000) })
  },
  'a stream is read twice': async () => {
    const counted = connect({ url: await serve() }).other.count({ upTo: 2 })
    for await (const _ of counted);
    for await (const _ of counted);
  },
  'a stream is awaited': async () => {
    const counted = await connect({ url: await serve() }).call('count', { upTo: 2 })
    console.error(counted)
  },
  'the contracts differ': async () => {
    const newer = defineContract({
      server: { ...contract.server, subtract: method({ params: numbers, result: z.number() }) },
    })
    await connect({ url: await serve() }, newer).other.subtract(five)
  },
  'another codec on either side': async () => {
    await connect({ url: await serve(), codec: msgpackCodec }).other.add(five)
  },
  'the other codec on either side': async () => {
    await connect({ url: await serve({ codec: msgpackCodec }) }).other.add(five)
  },
  'a stream of a plain peer': async () => {
    const [one, other] = memoryTransportPair()
    const serving = createChannel({ side: 'server', transport: other, plain: true, methods: {} })
    const calling = createChannel(contract, {
      side: 'client',
      transport: one,
      methods: {},
      plain: true,
    })
    opened.add(serving).add(calling)
    for await (const _ of calling.other.count({ upTo: 2 }));
  },
}

function withResolvers() {
  const deferred = {}
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }))
  return deferred
}

for (const [name, make] of Object.entries(mistakes)) {
  console.error(`== ${name}`)
  output = ''
  try {
    await make()
  } catch (error) {
    console.error(`thrown ${error.name}: ${error.message}`)
  }
  for (const one of [...opened].reverse()) await one.close()
  opened.clear()
}
