import { createClient } from '@flashrpc/core'
import { createFaultProxy } from '@flashrpc/core/testing'
import type { Runs } from '../calling.ts'
import { startServer } from '../processes.ts'
import { join } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

const MIB = 2 ** 20
/** How long calls are timed, in ms, before and after one of the clients stops to read. */
const TIMED_MS = 4_000
/** In how much time the slow one has to be cut off, in ms: the buffers on the way fill, and then nothing may move for 20 s. */
const CUT_MS = 45_000

/** One client of many that does not read what all are told: what do the server and the others notice? */
export const slow: Scenario = async ({ calls: clients, level, folder, progress }) => {
  const server = startServer({
    folder,
    // In a session, at level 1, the window stops the server long before the socket is full.
    level,
  })
  const { port } = await server.next('listening')
  const proxy = await createFaultProxy({ port })
  const options = { methods: { run: () => 0 }, heartbeat: false as const }
  const others = Array.from({ length: clients - 1 }, () =>
    createClient<Runs, Runs>({ url: `ws://127.0.0.1:${port}`, ...options }),
  )
  const slowOne = createClient<Runs, Runs>({ url: proxy.url(), ...options })
  const measure = () => {
    const measured = server.next('measured')
    server.send('measure')
    return measured
  }
  try {
    await Promise.all([...others, slowOne].map((client) => client.connect()))
    server.send('broadcast')
    progress('all read')
    const before = await p99(others)
    const { rss } = await measure()
    const begin = performance.now()
    proxy.stall({ down: true })
    progress('one does not')
    let most = 0
    const after = p99(others)
    const channels = async () => (await measure()).channels
    while (performance.now() - begin < CUT_MS && (await channels()) === clients) {
      most = Math.max(most, (await measure()).rss - rss)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const cut = performance.now() - begin
    const ratio = (await after) / before
    return join(
      {
        figures: [
          ['clients', clients],
          ['the slow one is cut off after', `${(cut / 1_000).toFixed(1)} s`],
          ["the server's memory meanwhile", `+${(most / MIB).toFixed(1)} MiB`],
          ["the others' p99", `${before.toFixed(1)} ms, then ${ratio.toFixed(2)}×`],
        ],
        faults: [
          ...(cut < CUT_MS ? [] : ['it was never cut off']),
          ...(most <= 16 * MIB ? [] : ['it cost too much memory']),
        ],
      },
      uncaught(server),
    )
  } finally {
    await Promise.all([...others, slowOne].map((client) => client.close()))
    await close(server).catch(() => {})
    await server.kill()
    await proxy.close()
  }
}

/** Of how long calls take, in ms, the time that one in a hundred exceeds. */
async function p99(
  clients: readonly { other: { run(params: { caller: string; n: number }): Promise<number> } }[],
) {
  const times: number[] = []
  const end = performance.now() + TIMED_MS
  for (let turn = 0; performance.now() < end; turn++) {
    const client = clients[turn % clients.length]
    const begin = performance.now()
    await client?.other.run({ caller: 'caller', n: turn })
    times.push(performance.now() - begin)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  times.sort((a, b) => a - b)
  return times[Math.floor(times.length * 0.99)] ?? 0
}
