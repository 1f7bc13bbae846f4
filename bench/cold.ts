import type { Load } from './load.ts'
import { Pair } from './pair.ts'
import { OVER_SOCKET } from './peers.ts'
import type { Scenario } from './scenario.ts'

/** The first calls of two new processes, of which V8 has compiled nothing yet. */
export const cold: Scenario = {
  ...OVER_SOCKET,
  // What raw-ws spends on a frame for each call would hide what a library costs.
  baseline: 'raw-ws-coalesced',
  title: 'New processes: 3,000 calls, 64 in flight, after 300 calls one after another',
  figure: 'cpu',
  rounds: 15,
  async open(peer, isQuick) {
    const [first, then] = isQuick ? [30, 300] : [300, 3_000]
    return {
      async measure() {
        await using pair = await Pair.open(peer)
        const cpuOf = async (load: Load & { calls: number }) => {
          const before = await pair.cpu()
          await pair.client.ask('load', load)
          return ((await pair.cpu()) - before) / load.calls
        }
        const firstCpu = await cpuOf({ kind: 'serial', calls: first })
        const cpu = await cpuOf({ kind: 'add', calls: then, inFlight: 64, size: 0 })
        return { cpu, firstCpu }
      },
      [Symbol.asyncDispose]: async () => {},
    }
  },
}
