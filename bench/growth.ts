import type { Load, LoadResult } from './load.ts'
import { Pair } from './pair.ts'
import { median } from './statistics.ts'

/** How the cost of flashrpc grows: with connections, with calls in flight, with the size of a message. */
export interface Growth {
  readonly connections: readonly {
    readonly count: number
    /** Of the server's heap, for each, in bytes. */
    readonly memory: number
    /** What the server does for all of them while nothing is said, in ms of CPU a second. */
    readonly idleCpu: number
    /** A notification to all, until the last has it, in ms. */
    readonly tell: number
    /** A call of one of them, in ms: p50. */
    readonly call: number
  }[]
  readonly inFlight: readonly {
    readonly count: number
    readonly rate: number
    readonly cpu: number
  }[]
  readonly sizes: readonly {
    readonly bytes: number
    readonly rate: number
    readonly bytesPerSecond: number
  }[]
}

const IDLE_MS = 20_000

export async function measureGrowth(isQuick: boolean): Promise<Growth> {
  const connections = []
  for (const count of isQuick ? [10] : [100, 1_000, 5_000]) {
    connections.push(await withConnections(count, isQuick ? 200 : IDLE_MS))
  }
  await using pair = await Pair.open('flashrpc')
  const inFlight = []
  for (const count of isQuick ? [1, 10] : [1, 8, 64, 512, 4_096, 32_768]) {
    const calls = isQuick ? 100 : Math.max(count * 4, count === 1 ? 20_000 : 100_000)
    const load: Load = { kind: 'add', calls, inFlight: count, size: 0 }
    await pair.client.ask('load', load)
    const before = await pair.cpu()
    const { time } = await pair.client.ask<LoadResult>('load', load)
    const cpu = ((await pair.cpu()) - before) / calls
    inFlight.push({ count, rate: (1_000 * calls) / time, cpu })
  }
  const sizes = []
  for (const bytes of isQuick ? [100] : [100, 1_000, 10_000, 100_000, 900_000]) {
    const calls = isQuick ? 10 : Math.round(Math.min(50_000, 2e8 / bytes))
    const load: Load = { kind: 'echo', calls, inFlight: 4, size: bytes }
    const { time } = await pair.client.ask<LoadResult>('load', load)
    const rate = (1_000 * calls) / time
    sizes.push({ bytes, rate, bytesPerSecond: 2 * rate * bytes })
  }
  return { connections, inFlight, sizes }
}

async function withConnections(
  count: number,
  idleMs: number,
): Promise<Growth['connections'][number]> {
  const first = Math.min(50, count / 2)
  await using pair = await Pair.open('flashrpc', first)
  const memory = await pair.grow(first, count)
  const cpuBefore = await pair.server.ask<number>('cpu')
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  const idleCpu = ((await pair.server.ask<number>('cpu')) - cpuBefore) / 1_000 / (idleMs / 1_000)
  const tells: number[] = []
  for (let n = 0; n < 5; n++) {
    const begin = performance.now()
    await pair.tell(n, count)
    tells.push(performance.now() - begin)
  }
  const { times = [] } = await pair.client.ask<LoadResult>('load', { kind: 'serial', calls: 500 })
  return { count, memory, idleCpu, tell: median(tells), call: median(times) }
}

/** Tables in Markdown. */
export function growthTables({ connections, inFlight, sizes }: Growth): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en-US')
  const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    [head, head.map(() => '--:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return [
    table(
      [
        'connections',
        'heap of the server each',
        'its CPU while idle',
        'to tell all',
        'a call, p50',
      ],
      connections.map(({ count, memory, idleCpu, tell, call }) => [
        whole(count),
        `${(memory / 1024).toFixed(1)} KiB`,
        `${idleCpu.toFixed(1)} ms/s`,
        `${tell.toFixed(1)} ms`,
        `${call.toFixed(3)} ms`,
      ]),
    ),
    table(
      ['calls in flight', 'calls/s', 'CPU a call'],
      inFlight.map(({ count, rate, cpu }) => [whole(count), whole(rate), `${cpu.toFixed(1)} µs`]),
    ),
    table(
      ['JSON of', 'echoed/s, 4 in flight', 'both ways'],
      sizes.map(({ bytes, rate, bytesPerSecond }) => [
        `${whole(bytes)} B`,
        whole(rate),
        `${(bytesPerSecond / 1e6).toFixed(0)} MB/s`,
      ]),
    ),
  ].join('\n\n')
}
