import { createFaultProxy } from '@flashrpc/core/testing'
import type { Child } from '../child.ts'
import { judge } from '../judge.ts'
import { readEnds, readRuns } from '../ledger.ts'
import { sleep, startClients, startServer } from '../processes.ts'
import { join, outcomeOf } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

/** How long servers stay as they are, in ms. */
const CALM_MS = 2_000

/** Servers behind a plain balancer that are replaced one after the other, each by SIGTERM. */
export const drain: Scenario = async ({ calls: clients, cuts: count, level, folder, progress }) => {
  let served = 0
  const ports = new Map<Child, number>()
  const serve = async (): Promise<Child> => {
    const child = startServer({
      folder,
      name: `server${served++}`,
      level,
      workMs: 50,
    })
    ports.set(child, (await child.next('listening')).port)
    return child
  }
  const servers = await Promise.all(Array.from({ length: count }, serve))
  const gone: Child[] = []
  const targets = () => ({ targets: servers.map((server) => ({ port: ports.get(server) ?? 0 })) })
  const balancer = await createFaultProxy(targets())
  const client = startClients({
    folder,
    url: balancer.url(),
    clients,
    calls: 1_000_000,
    pauseMs: 50,
    retry: { minDelayMs: 50, maxDelayMs: 500 },
  })
  try {
    const done = client.next('done')
    await client.next('progress')
    for (let replaced = 0; replaced < count; replaced++) {
      await sleep(CALM_MS)
      servers.push(await serve())
      const oldest = servers.shift()
      balancer.retarget(targets())
      oldest?.signal('SIGTERM')
      if (oldest) gone.push(oldest)
      progress(`${replaced + 1} servers replaced`)
    }
    await sleep(CALM_MS)
    client.send('enough')
    const { made } = await done
    await Promise.all(gone.map((server) => server.ended()))
    const left = await Promise.all([client, ...servers].map(close))
    const verdict = judge(new Map(Object.entries(made)), readRuns(folder), readEnds(folder))
    const failed = verdict.made - verdict.byEnding.value
    return join(
      outcomeOf(verdict),
      {
        figures: [
          ['clients', clients],
          ['servers replaced', count],
          ['failed calls', failed],
        ],
        faults: failed > 0 ? [`${failed} calls failed`] : [],
      },
      ...left,
      ...[client, ...servers, ...gone].map(uncaught),
    )
  } finally {
    await Promise.all([client, ...servers, ...gone].map((child) => child.kill()))
    await balancer.close()
  }
}
