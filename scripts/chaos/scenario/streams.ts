import { createClient } from '@flashrpc/core'
import { createFaultProxy } from '@flashrpc/core/testing'
import { seededRandom } from '../../../packages/core/src/testing/seeded-random.ts'
import type { Streams } from '../calling.ts'
import { inflict, planFaults } from '../faults.ts'
import { sleep, startServer } from '../processes.ts'
import { join } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

/** So many streams of each kind at once. */
const STREAMS = 4
/** How long a connection is left alone between two faults, in ms. */
const PAUSE_MS = 30

/**
 * Streams down, up and both ways at once, through a proxy that cuts, resets, swallows, stalls and delays:
 * does each item come once, in its place?
 */
export const streams: Scenario = async ({ seed, calls: items, cuts, level, folder, progress }) => {
  const server = startServer({ folder, level })
  const proxy = await createFaultProxy({ port: (await server.next('listening')).port })
  let connected = 0
  const client = createClient<Streams>({
    url: proxy.url(),
    retry: { minDelayMs: 1, maxDelayMs: 10 },
    heartbeat: { intervalMs: 500, timeoutMs: 500 },
    connectTimeoutMs: 2_000,
  })
  client.subscribe(({ status, attempt }) => {
    if (status === 'connected' && attempt === 0) connected++
  })
  const wrong: string[] = []
  let came = 0
  const expect = async (what: string, numbers: AsyncIterable<number>): Promise<void> => {
    let next = 0
    for await (const n of numbers) {
      if (n !== next) wrong.push(`${what}: ${n} came in the place of ${next}`)
      next = n + 1
      came++
    }
    if (next !== items) wrong.push(`${what} ended after ${next} of ${items}`)
  }
  const kinds: Record<string, () => Promise<void>> = {
    down: () => expect('a stream down', client.stream('count', { upTo: items })),
    up: async () => {
      const taken = await client.call('take', undefined, { input: numbersTo(items) })
      came += items
      if (taken !== items) wrong.push(`a stream up: ${taken} of ${items} came in their places`)
    },
    both: () =>
      expect('a stream both ways', client.stream('echo', undefined, { input: numbersTo(items) })),
  }
  try {
    await client.connect()
    const begin = performance.now()
    let isOver = false
    const all = Promise.all(
      Object.entries(kinds).flatMap(([kind, run]) =>
        Array.from({ length: STREAMS }, () =>
          run().catch((error: unknown) => wrong.push(`a stream ${kind} ended with ${error}`)),
        ),
      ),
    ).then(() => {
      isOver = true
    })
    let inflicted = 0
    for (const planned of planFaults(cuts, seededRandom(seed))) {
      if (isOver) break
      await inflict(proxy, planned)
      inflicted++
      progress(`${came} items, ${inflicted} faults`)
      await sleep(PAUSE_MS)
    }
    proxy.heal()
    await all
    const seconds = (performance.now() - begin) / 1_000
    await client.close()
    return join(
      {
        figures: [
          ['streams', 3 * STREAMS],
          ['items that came', came],
          ['items a second', Math.round(came / seconds)],
          ['faults', inflicted],
          ['connections', connected],
        ],
        faults: [
          ...wrong.slice(0, 10),
          ...(inflicted < cuts
            ? [`only ${inflicted} of ${cuts} faults had time: more --calls`]
            : []),
        ],
      },
      await close(server),
      uncaught(server),
    )
  } finally {
    await client.close()
    await server.kill()
    await proxy.close()
  }
}

function* numbersTo(upTo: number): Generator<number, void, undefined> {
  for (let n = 0; n < upTo; n++) yield n
}
