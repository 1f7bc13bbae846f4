import { type Client, createClient } from '@flashrpc/core'
import { createFaultProxy } from '@flashrpc/core/testing'
import { seededRandom } from '../../../packages/core/src/testing/seeded-random.ts'
import type { Runs } from '../calling.ts'
import { sleep, startServer } from '../processes.ts'
import { join } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

/** A server that vanishes without a goodbye: how soon is it known? And one that is stopped for a moment. */
export const halfOpen: Scenario = async ({ seed, cuts: stops, level, folder, progress }) => {
  const random = seededRandom(seed)
  const server = startServer({ folder, level })
  const proxy = await createFaultProxy({ port: (await server.next('listening')).port })
  const retry = { minDelayMs: 5, maxDelayMs: 20 }
  const connect = async (heartbeat: { intervalMs: number; timeoutMs: number } | undefined) => {
    const client = createClient<Runs>({ url: proxy.url(), retry, ...(heartbeat && { heartbeat }) })
    await client.connect()
    return client
  }
  const knownAfter = async (client: Client<Record<never, never>, Runs>): Promise<number> => {
    const begin = performance.now()
    const known = new Promise<void>((resolve) => {
      client.subscribe(({ status }) => status !== 'connected' && resolve())
    })
    proxy.blackHole()
    await known
    proxy.heal()
    const seconds = (performance.now() - begin) / 1_000
    await client.close()
    return seconds
  }
  try {
    progress('a black hole, found by a short heartbeat')
    const short = await knownAfter(await connect({ intervalMs: 500, timeoutMs: 1_000 }))
    progress('a black hole, found by the default one')
    const usual = await knownAfter(await connect(undefined))
    const client = await connect({ intervalMs: 500, timeoutMs: 1_000 })
    let deaths = 0
    client.subscribe(({ status }) => {
      if (status === 'reconnecting') deaths++
    })
    for (let stop = 0; stop < stops; stop++) {
      server.signal('SIGSTOP')
      await sleep(50 + random() * 400)
      server.signal('SIGCONT')
      await client.other.run({ caller: 'client', n: stop })
      progress(`${stop + 1} stops`)
    }
    await client.close()
    return join(
      {
        figures: [
          ['half-open, known after', `${usual.toFixed(1)} s`],
          ['… with a heartbeat of 0.5 s', `${short.toFixed(2)} s`],
          ['stops (SIGSTOP)', stops],
          ['… taken for a death', deaths],
        ],
        faults: [
          ...(usual <= 26 ? [] : ['it was known too late']),
          ...(short <= 2 ? [] : ['it was known too late by the short heartbeat']),
          ...(deaths === 0 ? [] : [`${deaths} false deaths`]),
        ],
      },
      await close(server),
      uncaught(server),
    )
  } finally {
    await server.kill()
    await proxy.close()
  }
}
