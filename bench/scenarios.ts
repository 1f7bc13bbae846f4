import { cold } from './cold.ts'
import { importing } from './import-cost.ts'
import type { Load, LoadResult } from './load.ts'
import { Pair } from './pair.ts'
import { OVER_PORT, OVER_SOCKET } from './peers.ts'
import { Program } from './process.ts'
import type { Measured, Sample, Scenario } from './scenario.ts'
import { mean, median } from './statistics.ts'

/** A client, and its server in a thread of the same process. */
class Thread implements AsyncDisposable {
  readonly client: Program
  readonly hasBytes = true

  private constructor(client: Program) {
    this.client = client
  }

  static async open(peer: string): Promise<Thread> {
    const client = new Program(peer, 'client')
    await client.ask('connectThread')
    return new Thread(client)
  }

  async settle(): Promise<void> {
    await this.client.ask('settle')
    await this.client.ask('settleThread')
  }

  cpu(): Promise<number> {
    return this.client.ask('cpu')
  }

  peakMemory(): Promise<number> {
    return this.client.ask('peakMemory')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]()
  }
}

/**
 * So long, in ms, is a peer warmed up, and so long is what it does repeated, at the least: it has slept for as long as
 * all others were measured, and V8 throws away the code, and the young space, of what sleeps. A single load is over in
 * so little time where a peer is fast that it would be measured while its code is still compiled.
 */
const LEAST_MS = 1_000

async function forAWhile(run: () => Promise<unknown>, isQuick: boolean): Promise<void> {
  const until = isQuick ? 0 : performance.now() + LEAST_MS
  do await run()
  while (performance.now() < until)
}

/**
 * So many loads each peer does at the least, and what memory they took is read after these. Whoever is faster does more
 * in the same time, and comes nearer to what V8 lets a heap grow to.
 */
const SAME_LOADS = 3

/** A load of one client's. */
function loading(title: string, load: Load, quick: Load, over = OVER_SOCKET): Scenario {
  return {
    ...over,
    title,
    figure: 'rate',
    async open(peer, isQuick) {
      const pair = await (over === OVER_PORT ? Thread.open(peer) : Pair.open(peer))
      if (load.kind === 'bytes' && !pair.hasBytes) {
        await pair[Symbol.asyncDispose]()
        return null
      }
      let loads = 0
      let peak = 0
      const run = async () => {
        const result = await pair.client.ask<LoadResult>('load', isQuick ? quick : load)
        if (++loads === SAME_LOADS) peak = await pair.peakMemory()
        return result
      }
      await run()
      await pair.settle()
      return {
        async measure() {
          await forAWhile(run, isQuick)
          const before = await pair.cpu()
          let calls = 0
          let time = 0
          const once = async () => {
            const result = await run()
            calls += result.calls
            time += result.time
          }
          await forAWhile(once, isQuick)
          const cpu = (await pair.cpu()) - before
          return { rate: (1_000 * calls) / time, cpu: cpu / calls }
        },
        peakMemory: async () => peak,
        [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
      }
    },
  }
}

/**
 * The same in new processes each round, so many one after another: how often V8 collects what is large is settled early
 * in the life of a process, by chance, and so is a part of the spread. What is told is their mean.
 */
function anew(scenario: Scenario, lives: number): Scenario {
  return {
    ...scenario,
    async open(peer, isQuick) {
      const first = await scenario.open(peer, isQuick)
      if (!first) return null
      await first[Symbol.asyncDispose]()
      let peak = 0
      const once = async (): Promise<Sample> => {
        await using one = await scenario.open(peer, isQuick)
        const sample = (await one?.measure()) ?? {}
        peak = Math.max(peak, (await one?.peakMemory?.()) ?? 0)
        return sample
      }
      return {
        async measure() {
          const samples: Sample[] = []
          for (let life = 0; life < (isQuick ? 1 : lives); life++) samples.push(await once())
          // Of the time that a call takes, and so of all calls together.
          const rate = 1 / mean(samples.map(({ rate = 0 }) => 1 / rate))
          return { rate, cpu: mean(samples.map(({ cpu = 0 }) => cpu)) }
        },
        peakMemory: async () => peak,
        [Symbol.asyncDispose]: async () => {},
      }
    },
  }
}

/** A pair that does something again and again; null where its peer can't, as it says when it is warmed up. */
async function repeating(
  pair: Pair,
  calls: number,
  isQuick: boolean,
  run: () => Promise<number | null>,
): Promise<Measured | null> {
  if ((await run()) === null) {
    await pair[Symbol.asyncDispose]()
    return null
  }
  await pair.settle()
  return {
    async measure() {
      await forAWhile(run, isQuick)
      const before = await pair.cpu()
      const time = (await run()) as number
      return { time, cpu: ((await pair.cpu()) - before) / calls }
    },
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  }
}

const add = (calls: number): Load => ({ kind: 'add', calls, inFlight: 64, size: 0 })

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'in-flight': loading('64 calls in flight', add(100_000), add(500)),
  burst: loading(
    '10,000 calls in one turn',
    { kind: 'burst', calls: 10_000, times: 10 },
    { kind: 'burst', calls: 200, times: 1 },
  ),
  serial: {
    ...OVER_SOCKET,
    title: 'One call after another, both ends on one core: p50',
    figure: 'time',
    async open(peer, isQuick) {
      const pair = await Pair.open(peer, 1, 0)
      const calls = isQuick ? 50 : 3_000
      return repeating(pair, calls, isQuick, async () => {
        const { times = [] } = await pair.client.ask<LoadResult>('load', { kind: 'serial', calls })
        return median(times)
      })
    },
  },
  json: loading(
    '16 KB of JSON, 16 in flight',
    { kind: 'echo', calls: 3_000, inFlight: 16, size: 16_384 },
    { kind: 'echo', calls: 50, inFlight: 16, size: 16_384 },
  ),
  bytes: anew(
    loading(
      'Uint8Array of 1 MiB less 1 KiB, 4 in flight',
      { kind: 'bytes', calls: 200, inFlight: 4, size: 1_047_552 },
      { kind: 'bytes', calls: 8, inFlight: 4, size: 1_047_552 },
    ),
    1,
  ),
  'call-many': {
    ...OVER_SOCKET,
    title: 'The server calls 500 clients, and awaits all',
    figure: 'time',
    async open(peer, isQuick) {
      const clients = isQuick ? 20 : 500
      const times = isQuick ? 2 : 20
      const pair = await Pair.open(peer, clients)
      return repeating(pair, times * clients, isQuick, async () => {
        const time = await pair.server.ask<number | null>('callAll', { times, clients })
        return time && time / times
      })
    },
  },
  'tell-many': {
    ...OVER_SOCKET,
    title: 'A notification to 500 clients: until the last has it',
    figure: 'time',
    async open(peer, isQuick) {
      const clients = isQuick ? 20 : 500
      const times = isQuick ? 2 : 40
      const pair = await Pair.open(peer, clients)
      return repeating(pair, times * clients, isQuick, async () => {
        const begin = performance.now()
        for (let n = 0; n < times; n++) if (!(await pair.tell(n, clients))) return null
        return (performance.now() - begin) / times
      })
    },
  },
  idle: {
    ...OVER_SOCKET,
    title: 'Memory of the server for each idle connection',
    figure: 'memory',
    async open(peer, isQuick) {
      return {
        async measure() {
          // With fewer, what is resident is how V8 sizes its young space, and not what they need.
          const clients = isQuick ? 20 : 8_000
          // What the first ones load is no connection's.
          const first = isQuick ? 5 : 500
          await using pair = await Pair.open(peer, first)
          const { heap, resident } = await pair.grow(first, first + clients)
          return { memory: heap, resident }
        },
        [Symbol.asyncDispose]: async () => {},
      }
    },
  },
  port: loading('A port to a thread: 64 calls in flight', add(200_000), add(500), OVER_PORT),
  'port-bytes': anew(
    loading(
      'A port to a thread: Uint8Array of 1 MiB less 1 KiB, 4 in flight',
      { kind: 'bytes', calls: 400, inFlight: 4, size: 1_047_552 },
      { kind: 'bytes', calls: 8, inFlight: 4, size: 1_047_552 },
      OVER_PORT,
    ),
    3,
  ),
  cold,
  import: importing,
}
