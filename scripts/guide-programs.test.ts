import { randomBytes } from 'node:crypto'
import { get } from 'node:http'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import type { Program } from '../apps/demo/test/support/program.ts'
import { GuidePage } from './guide-page.ts'

/** Servers and clients of the guide, run together as they stand: only the port is another one. */

interface Sample {
  readonly page: string
  /** What the names of the blocks that listen and call begin with, if they are not `server.ts` and `client.ts`. */
  readonly prefix?: string
  /** The blocks that they import. */
  readonly modules?: readonly string[]
  readonly prints: readonly RegExp[]
}

const samples: readonly Sample[] = [
  { page: 'calls-and-errors', modules: ['contract.ts'], prints: [/^Welcome!$/, /^a long report$/] },
  { page: 'discovery', prints: [/^Sums \[ 'add' \]$/] },
  { page: 'outcomes', modules: ['contract.ts'], prints: [/^the report of 2026 500 to ann$/] },
  {
    page: 'middleware',
    modules: ['contract.ts', 'logging.ts'],
    prints: [/^[0-9a-f]{32} out report: ok after \d+ ms$/, /^all of 2026$/],
  },
  {
    page: 'from-python',
    modules: ['contract.ts'],
    prints: [/^Welcome, [0-9a-f]{32}$/, /^15$/, /^hello$/],
  },
  {
    page: 'python',
    modules: ['contract.ts'],
    prints: [/^Welcome!$/, /^15$/, /^\[ \{ version: 'v1', changes: \[ 'Fix a typo' \] \} \]$/],
  },
  { page: 'codecs', modules: ['contract.ts'], prints: [/^8388608$/] },

  {
    page: 'codecs',
    prefix: 'postpone-',
    prints: [/^2026-05-08T00:00:00.000Z$/],
  },
  {
    page: 'codecs',
    prefix: 'dates-',
    modules: ['dates-codec.ts'],
    prints: [/^2026-05-02T00:00:00.000Z$/],
  },
]

/** Opens a page of the guide, with the modules that its programs import. */
function open(page: string, modules: readonly string[] = []): GuidePage {
  const guide = new GuidePage(`docs/guide/${page}.md`)
  for (const name of modules) guide.write(name)
  return guide
}

const linesOf = (program: Program) => program.output().trim().split('\n')

test.concurrent.each(samples)('$page', async ({ page, prefix = '', modules, prints }) => {
  await using guide = open(page, modules)
  const { port } = await guide.serve(`${prefix}server.ts`)
  guide.write(`${prefix}client.ts`, { ':8000': `:${port}` })
  const program = guide.run(`${prefix}client.ts`)
  expect(await program.ended).toBe(0)
  expect(linesOf(program)).toEqual(prints.map((line) => expect.stringMatching(line)))
})

test.concurrent('quick start: the server and the client call each other', async () => {
  await using guide = open('quick-start', ['contract.ts'])
  const { program: server, port } = await guide.serve('server.ts')
  guide.write('client.ts', { ':8000': `:${port}` })
  const client = guide.run('client.ts')
  await client.prints(/^Welcome!\n15\n$/)
  await server.prints(/^yes$/m)
})

test.concurrent('strangers: a client that calls too often is refused', async () => {
  await using guide = open('strangers', ['contract.ts'])
  const { port } = await guide.serve('server.ts')
  guide.write('client.ts', { ':8000': `:${port}` })
  const client = guide.run('client.ts')
  expect(await client.ended).toBe(0)
  // If a minute ends between two calls, it is refused after some more.
  expect(client.output()).toMatch(
    /^(\d+ Nothing about cats\n){5,10}not-received Too many calls to "search" in a minute\n$/,
  )
})

test.concurrent('debug: a client prints its states', async () => {
  await using guide = open('debug')
  const endpoint = createEndpoint({ methods: {} })
  const { port } = await endpoint.listen({ path: '/ws' })
  await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
  guide.write('watch.ts', { ':8000': `:${port}` })
  const client = guide.run('watch.ts')
  await client.prints(/^connected 0 $/m)
  await endpoint.close()
  await client.prints(/^reconnecting \d+ .+/m)
})

test.concurrent('agents: an agent works, and asks back', async () => {
  await using guide = open('agents', ['contract.ts'])
  const { program: server, port } = await guide.serve('server.ts')
  guide.write('client.ts', { ':8000': `:${port}` })
  const agent = guide.run('client.ts')
  await server.prints(/^50 %\n100 %\na thorough look at whales$/m)
  await agent[Symbol.asyncDispose]()
})

test.concurrent('transports: a worker thread answers', async () => {
  await using guide = open('transports', ['contract.ts', 'worker.ts'])
  // Compiled, as Node 20 runs no TypeScript in a thread.
  guide.esbuild('worker.ts', '--bundle', '--platform=node', '--format=esm', '--outfile=worker.js')
  guide.write('main.ts', { "'./worker.ts'": "'./worker.js'" })
  const main = guide.run('main.ts')
  expect(await main.ended).toBe(0)
  expect(linesOf(main)).toEqual(['15'])
})

test.concurrent('calls: a call passes on how much time is left', async () => {
  await using guide = open('calls', ['contract.ts'])
  const archive = await guide.serve('archive.ts')
  const { port } = await guide.serve('server.ts', { ':9000': `:${archive.port}` })
  guide.write('client.ts', { ':8000': `:${port}` })
  const client = guide.run('client.ts')
  expect(await client.ended).toBe(0)
  expect(linesOf(client)).toEqual(['10', 'All of 2026'])
  expect(linesOf(archive.program)).toEqual([`port ${archive.port}`, '60 s left'])
})

test.concurrent('audiences: what is typed at the server goes to everybody', async () => {
  await using guide = open('audiences', ['contract.ts'])
  const { program: server, port } = await guide.serve('server.ts')
  guide.write('client.ts', { ':8000': `:${port}` })
  const bob = guide.run('client.ts', 'bob')
  const ada = guide.run('client.ts', 'ada')
  // Whoever of them is first hears of the other.
  await Promise.race([bob.prints(/^ada has come$/m), ada.prints(/^bob has come$/m)])
  server.type('Lunch?')
  // It has asked Ada for all of her answers, and then for the first.
  await ada.prints(/Lunch\?\n(Lunch\? Yes\n){2}$/)
  expect(bob.output()).toMatch(/Lunch\?\n$/)
  expect(bob.output()).not.toMatch('Yes')
  expect(linesOf(server).slice(1)).toEqual([
    '2 of 2 were told',
    expect.stringMatching(/^[0-9a-f]{32} yes$/),
  ])
})

test.concurrent('authentication: each user may do what the page says', async () => {
  await using guide = open('authentication', ['contract.ts', 'users.ts'])
  const { program: server, port } = await guide.serve('server.ts')
  guide.write('client.ts', { ':8000': `:${port}` })
  const run = async (user: string) => {
    const client = guide.run('client.ts', user)
    return { code: await client.ended, output: client.output() }
  }
  const [ada, bob, eve, nobody] = await Promise.all(['Ada', 'Bob', 'Eve', 'Zoe'].map(run))
  expect(ada).toEqual({ code: 0, output: 'Ada\nAda wiped sda\n' })
  expect(bob?.code).toBe(1)
  expect(bob?.output).toMatch(/^Bob\n/)
  expect(bob?.output).toContain('Not allowed to call "wipe"')
  expect(eve?.output).toContain('You have been banned')
  expect(nobody?.output).toContain('Log in first')
  expect(server.output()).toMatch(/^\/ws 403 You have been banned$/m)
  expect(server.output()).toMatch(/^\/ws 401 Log in first$/m)
})

test.concurrent('authentication: credentials end', async () => {
  await using guide = open('authentication', ['contract.ts'])
  // A token that lasts for a second, in the place of the reader's own.
  const { port } = await guide.serve('expiring.ts', {
    'declare function verify(token: string | undefined): Promise<{ name: string; exp: number }>':
      'const verify = async (name = "") => ({ name, exp: Date.now() / 1000 + 1 })',
  })
  let asked = 0
  await using client = createClient<{ whoAmI(): string }>({
    url: `ws://127.0.0.1:${port}`,
    headers: () => ({ authorization: `token ${++asked}` }),
    logger: false,
  })
  expect(await client.other.whoAmI()).toBe('token 1')
  const closed = new Promise((resolve) => {
    client.subscribe(({ lastError }) => lastError && resolve(lastError))
  })
  expect(await closed).toMatchObject({ closeCode: 4401 })
})

interface Failing {
  add(params: { a: number; b: number }): number
  notify(params: { text: unknown }): void
}

/** Does at a server of the page about logging what makes it print. */
async function provoke(port: number): Promise<void> {
  await using client = createClient<Failing>({ url: `ws://127.0.0.1:${port}`, logger: false })
  await expect(client.other.add({ a: 5, b: 10 })).rejects.toThrow('Internal error')
  await client.notify('notify', { text: 5 })
  // As a browser connects a page of that origin.
  await using page = createClient({
    url: `ws://127.0.0.1:${port}`,
    headers: { origin: 'http://localhost:5173' },
    autoConnect: false,
    logger: false,
  })
  await expect(page.connect()).rejects.toMatchObject({ httpStatus: 403 })
}

test.concurrent('logging: what is printed is what the page says', async () => {
  await using guide = open('logging', ['contract.ts'])
  const { program: server, port } = await guide.serve('server.ts')
  await provoke(port)
  await server.prints(/allowedOrigins.*$/m)
  const said = guide.text('text').replaceAll('8000', String(port)).replaceAll('\n"127', ' "127')
  const frames = /\n {4}at (?!add ).*/g
  const printed = server.output().replace(`port ${port}\n`, '').replaceAll(frames, '')
  expect(printed.replaceAll(/\(.*\/app\//g, '(/app/')).toBe(said)
})

test.concurrent('logging: onError is told, and nothing is printed besides', async () => {
  await using guide = open('logging', ['contract.ts'])
  const { program: server, port } = await guide.serve('told-server.ts')
  await provoke(port)
  await server.prints(/^[0-9a-f]{32} add handler Error: the disk is full$/m)
  await server.prints(/^[0-9a-f]{32} notify params RpcError: Invalid params for "notify"/m)
  expect(server.output()).not.toContain('flashrpc:')
})

test.concurrent('logging: pino gets the text, and where it failed', async () => {
  await using guide = open('logging', ['contract.ts', 'logger.ts'])
  const { program: server, port } = await guide.serve('server.ts', {
    'methods: {': 'logger,\n  methods: {',
    "import { contract } from './contract.ts'":
      "import { contract } from './contract.ts'\nimport { logger } from './logger.ts'",
  })
  await provoke(port)
  await server.prints(/refused a connection/)
  const [failed, dropped, refused] = linesOf(server)
    .slice(1)
    .map((line) => JSON.parse(line) as unknown)
  expect(failed).toMatchObject({ level: 50, method: 'add', phase: 'handler' })
  expect(dropped).toMatchObject({ level: 50, method: 'notify', phase: 'params' })
  expect(refused).toMatchObject({ level: 40 })
})

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13 }

test.concurrent.each([
  ['server.ts', undefined],
  ['ws.js', '/chat'],
  ['fastify.js', '/chat'],
  ['engine.js', '/engine.io/?EIO=4&transport=websocket'],
])('servers: %s has an endpoint beside its own sockets', async (file, path) => {
  await using guide = open('servers')
  const { port } = await guide.serve(file)
  await using client = createClient<{ ping(): string }>({ url: `ws://127.0.0.1:${port}/rpc` })
  expect(await client.other.ping()).toBe('pong')
  if (path === undefined) return
  // What the other library says first.
  const said = await new Promise((resolve, reject) => {
    const headers = { ...UPGRADE, 'Sec-WebSocket-Key': randomBytes(16).toString('base64') }
    get({ host: '127.0.0.1', port, path, headers })
      .on('upgrade', (_, socket, head) => {
        const hear = (data: Buffer) => {
          if (data.length === 0) return
          socket.destroy()
          resolve(String(data.subarray(2)))
        }
        hear(head)
        socket.on('data', hear)
      })
      .on('response', ({ statusCode }) => reject(new Error(`HTTP ${statusCode}`)))
      .on('error', reject)
  })
  expect(said).toMatch(/^(hello|\D*0\{"sid":.*)$/)
})
