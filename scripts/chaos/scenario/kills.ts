import { createFaultProxy } from '@flashrpc/core/testing'
import { seededRandom } from '../../../packages/core/src/testing/seeded-random.ts'
import { judge } from '../judge.ts'
import { readEnds, readRuns } from '../ledger.ts'
import { sleep, startClients, startServer } from '../processes.ts'
import { join, outcomeOf } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

/** The share of unsent calls that have to be known as such. */
const LABELLED = 0.95

/** A server that is killed again and again while its client calls: what does the client know of each call? */
export const kills: Scenario = async ({ seed, cuts, level, folder, progress }) => {
  const random = seededRandom(seed)
  const serve = (n: number) =>
    startServer({
      folder,
      name: `server${n}`,
      level,
      workMs: 2,
    })
  let server = serve(0)
  const proxy = await createFaultProxy({ port: (await server.next('listening')).port })
  const client = startClients({
    folder,
    url: proxy.url(),
    clients: 4,
    // Until they have been enough.
    calls: Number.MAX_SAFE_INTEGER,
    concurrency: 20,
    pauseMs: 1,
    timeoutMs: 20_000,
    offlineMs: 40,
    retry: { minDelayMs: 5, maxDelayMs: 40 },
  })
  try {
    const done = client.next('done')
    await client.next('progress')
    let killed = 0
    for (; killed < cuts; killed++) {
      await sleep(30 + random() * 120)
      await server.kill()
      // For a while there is nobody.
      proxy.refuse()
      const next = serve(killed + 1)
      const { port } = await next.next('listening')
      server = next
      proxy.retarget({ port })
      proxy.accept()
      progress(`${killed + 1} kills`)
    }
    client.send('enough')
    const { made } = await done
    const left = await Promise.all([close(client), close(server)])
    const verdict = judge(new Map(Object.entries(made)), readRuns(folder), readEnds(folder))
    const { failed, labelled } = verdict.offline
    return join(
      outcomeOf(verdict),
      {
        figures: [
          ['kills', killed],
          ['calls made without a connection that failed', failed],
          ['… labelled not-sent', `${((100 * labelled) / Math.max(1, failed)).toFixed(1)} %`],
        ],
        faults: labelled < LABELLED * failed ? ['too few unsent calls are known as such'] : [],
      },
      ...left,
      uncaught(client),
      uncaught(server),
    )
  } finally {
    await Promise.all([client.kill(), server.kill(), proxy.close()])
  }
}
