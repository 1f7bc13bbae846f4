import { createFaultProxy } from '@flashrpc/core/testing'
import { seededRandom } from '../../../packages/core/src/testing/seeded-random.ts'
import type { Child } from '../child.ts'
import { inflict, planFaults } from '../faults.ts'
import { judge } from '../judge.ts'
import { readEnds, readRuns } from '../ledger.ts'
import { startClients, startServer } from '../processes.ts'
import { join, type Outcome, outcomeOf } from '../report.ts'
import type { Scenario } from './scenario.ts'

/**
 * A client and a server, each in a process of its own, call each other through a proxy that cuts, resets,
 * swallows, stalls and delays. What was run is held against what the callers were told.
 */
export const ledger: Scenario = async ({ seed, calls, cuts, level, folder, progress }) => {
  const common = { folder, level }
  const server = startServer({
    ...common,
    calls,
    concurrency: 100,
  })
  const children = [server]
  const proxy = await createFaultProxy({ port: (await server.next('listening')).port })
  try {
    const client = startClients({
      folder,
      url: proxy.url(),
      calls,
      concurrency: 100,
      timeoutMs: 120_000,
    })
    children.push(client)
    const dones = children.map((child) => child.next('done'))

    const ended = new Map<string, number>()
    let connections = { connected: 0, resumed: 0 }
    const inflicted = new Map<string, number>()
    const plan = planFaults(cuts, seededRandom(seed))
    let next = 0
    let isBusy = false
    const begin = performance.now()
    const advance = async (): Promise<void> => {
      const share = [...ended.values()].reduce((sum, one) => sum + one, 0) / (2 * calls)
      if (isBusy) return
      isBusy = true
      while (next < plan.length && share >= next / plan.length) {
        const planned = plan[next++]
        if (!planned) break
        inflicted.set(planned.fault, (inflicted.get(planned.fault) ?? 0) + 1)
        await inflict(proxy, planned)
        if (next % 100 === 0) {
          const seconds = (performance.now() - begin) / 1_000
          progress(
            `${Math.round(100 * share)} % of the calls, ${next} faults, ${seconds.toFixed(0)} s`,
          )
        }
      }
      isBusy = false
    }
    for (const child of children) {
      child.on((told) => {
        if (told.kind === 'state') connections = told
        if (told.kind !== 'progress') return
        ended.set(told.caller, told.ended)
        void advance()
      })
    }
    const made = new Map<string, number>()
    for (const { made: of } of await Promise.all(dones)) {
      for (const [caller, count] of Object.entries(of)) made.set(caller, count)
    }
    const seconds = (performance.now() - begin) / 1_000
    proxy.heal()
    const left = await Promise.all([close(client), close(server)])

    const verdict = judge(made, readRuns(folder), readEnds(folder))
    const isAnswered = verdict.byEnding.value === verdict.made
    const broken = [...inflicted].map(([fault, count]) => [`… ${fault}`, count] as const)
    return join(
      outcomeOf(verdict),
      {
        figures: [
          ['calls a second', Math.round((2 * calls) / seconds)],
          ['faults', next],
          ...broken,
          ['connections', connections.connected],
          ['… that went on with their session', connections.resumed],
        ],
        faults: level === 1 && !isAnswered ? ['not every call was answered'] : [],
      },
      ...left,
      ...children.map(uncaught),
    )
  } finally {
    await Promise.all(children.map((child) => child.kill()))
    await proxy.close()
  }
}

/** Closes a process, and looks at what it leaves behind. */
export async function close(child: Child): Promise<Outcome> {
  const done = child.next('done')
  child.send('close')
  const { leftovers } = await done
  return { figures: [], faults: leftovers.map((name) => `a ${name} that is left`) }
}

/** What a process wrote to its standard error is a fault. */
export function uncaught(child: Child): Outcome {
  return {
    figures: [],
    faults: child.errors === '' ? [] : [`a process complained: ${child.errors}`],
  }
}
