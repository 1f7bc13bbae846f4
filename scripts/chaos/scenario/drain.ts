import { createFaultProxy } from '@flashrpc/core/testing'
import { Child } from '../child.ts'
import { judge } from '../judge.ts'
import { readEnds, readRuns } from '../ledger.ts'
import type { ClientProcessOptions } from '../process/client.ts'
import type { ServerOptions } from '../process/server.ts'
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
    const child = new Child('./process/server.ts', {
      folder,
      name: `server${served++}`,
      level,
      calls: 0,
      concurrency: 1,
      workMs: 50,
    } satisfies ServerOptions)
    ports.set(child, (await child.next('listening')).port)
    return child
  }
  const servers = await Promise.all(Array.from({ length: count }, serve))
  const gone: Child[] = []
  const targets = () => ({ targets: servers.map((server) => ({ port: ports.get(server) ?? 0 })) })
  const balancer = await createFaultProxy(targets())
  const client = new Child('./process/client.ts', {
    folder,
    name: 'client',
    url: balancer.url(),
    clients,
    calls: 1_000_000,
    concurrency: 1,
    pauseMs: 50,
    timeoutMs: 30_000,
    offlineMs: 0,
    connectTimeoutMs: 2_000,
    heartbeatMs: 500,
    retry: { minDelayMs: 50, maxDelayMs: 500 },
  } satisfies ClientProcessOptions)
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

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
