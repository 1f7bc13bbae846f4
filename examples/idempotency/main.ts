import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient, RpcUncertainError } from '@flashrpc/core'
import { contract } from './contract.js'
import type { Point } from './server.js'

const POINTS: Point[] = [
  'before the call is recorded',
  'after that',
  'after the charge',
  'after its answer is recorded',
]
const ORDERS = 40

/** The server's books and its results: all that outlives it. */
const folder = await mkdtemp(join(tmpdir(), 'flashrpc-idempotency-'))
/** Where the server is to be killed next. */
let deathAt: Point | undefined
let server = startServer()

interface Started {
  child: ChildProcess
  url: string
}

async function startServer(): Promise<Started> {
  const path = fileURLToPath(new URL('server.ts', import.meta.url))
  const child = fork(path, [folder], { execArgv: ['--import', 'tsx'] })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  child.on('message', ({ point }: { point: Point }) => {
    if (point !== deathAt) return void (child.connected && child.send('go on'))
    deathAt = undefined
    server = kill(child).then(startServer)
  })
  return { child, url }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Each point twice, in a random order, one for every fifth order. */
const deaths = [...POINTS, ...POINTS]
  .map((point) => ({ point, at: Math.random() }))
  .sort((one, other) => one.at - other.at)
  .map(({ point }) => point)

const endings = new Map<string, { death: Point | undefined; ending: string }>()
try {
  await using client = createClient(contract, {
    url: async () => (await server).url,
    retry: { minDelayMs: 20, maxDelayMs: 100 },
  })
  for (let n = 1; n <= ORDERS; n++) {
    const order = `order-${n}`
    const death = n % 5 === 0 ? deaths.shift() : undefined
    deathAt = death
    // The key is the order's: however often this is called, it is paid for once.
    const call = client.other.charge({ order, cents: 100 * n }, { idempotencyKey: order })
    const ending = await call.then(
      () => 'answered',
      (error: unknown) => {
        if (error instanceof RpcUncertainError) return error.outcome
        throw error
      },
    )
    endings.set(order, { death, ending })
  }
  await report()
} finally {
  await kill((await server).child)
  await rm(folder, { recursive: true })
}

async function report(): Promise<void> {
  const charges = (await readFile(join(folder, 'charges.txt'), 'utf8')).trim().split('\n')
  for (const point of [undefined, ...POINTS]) {
    const those = [...endings].filter(([, { death }]) => death === point)
    const became = those.map(([order, { ending }]) => {
      const times = charges.filter((charge) => charge === order).length
      return `${ending}, charged ${times === 1 ? 'once' : `${times} times`}`
    })
    const where = point ? `killed ${point}` : 'not killed'
    console.log(`${those.length} ${where}: ${[...new Set(became)].join('; ')}`)
  }
  console.log(`charged twice: ${charges.length - new Set(charges).size}`)
}
