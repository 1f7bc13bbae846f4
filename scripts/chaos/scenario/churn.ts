import { createClient } from '@flashrpc/core'
import type { Runs } from '../calling.ts'
import { startServer } from '../processes.ts'
import { join } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

/** How many connections there are at once. */
const AT_ONCE = 50
/** How many come before memory is looked at first: what is made once is not what leaks. */
const WARM_UP = 1_000
const MIB = 2 ** 20

/** Connections that come, call once and go: what do they leave behind? */
export const churn: Scenario = async ({ calls: connections, level, folder, progress }) => {
  const server = startServer({ folder, level })
  const { port } = await server.next('listening')
  const url = `ws://127.0.0.1:${port}`
  let answered = 0
  const visit = async (count: number): Promise<void> => {
    let begun = 0
    const one = async () => {
      while (begun < count) {
        const n = begun++
        const client = createClient<Runs>({ url })
        if ((await client.other.run({ caller: 'visitor', n })) === n) answered++
        await client.close()
        if (answered % 1_000 === 0) progress(`${answered} connections`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
  }
  const measure = () => {
    const measured = server.next('measured')
    server.send('measure')
    return measured
  }
  try {
    await visit(WARM_UP)
    const before = await measure()
    await visit(connections)
    const after = await measure()
    const grown = (after.heap - before.heap) / MIB
    return join(
      {
        figures: [
          ['connections', connections],
          ['channels that are left', after.channels],
          ['heap', `+${grown.toFixed(2)} MiB`],
        ],
        faults: [
          ...(answered === connections + WARM_UP ? [] : ['not every call was answered']),
          ...(after.channels === 0 ? [] : [`${after.channels} channels are left`]),
          ...(grown <= 2 ? [] : ['memory is left']),
        ],
      },
      await close(server),
      uncaught(server),
    )
  } finally {
    await server.kill()
  }
}
