import type { Load, LoadResult } from './load.ts'
import { type MethodsCost, measureMethods } from './methods-cost.ts'
import { Pair } from './pair.ts'
import { median, quantile } from './statistics.ts'
import { measureTypes, type TypeCost } from './type-cost.ts'

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
    /** A call of one of them, in ms. */
    readonly call: Quantiles
    /** The same while all are told something twice a second, and one in a hundred more reads nothing. */
    readonly callBesideSlow: Quantiles
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
  readonly methods: readonly MethodsCost[]
  readonly types: readonly TypeCost[]
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

const IDLE_MS = 20_000

export async function measureGrowth(isQuick: boolean): Promise<Growth> {
  const connections = []
  for (const count of isQuick ? [10] : [100, 1_000, 9_000]) {
    connections.push(await withConnections(count, isQuick))
  }
  await using pair = await Pair.open('flashrpc')
  const inFlight = []
  for (const count of isQuick ? [1, 10] : [1, 10, 100, 1_000, 10_000, 100_000]) {
    const calls = isQuick ? 100 : Math.max(count * 3, count === 1 ? 20_000 : 100_000)
    const load: Load = { kind: 'add', calls, inFlight: count, size: 0 }
    await pair.client.ask('load', load)
    const before = await pair.cpu()
    const { time } = await pair.client.ask<LoadResult>('load', load)
    const cpu = ((await pair.cpu()) - before) / calls
    inFlight.push({ count, rate: (1_000 * calls) / time, cpu })
  }
  // With `limits.message` raised, which is 1 MiB by default.
  await using large = await Pair.open('flashrpc-large')
  const sizes = []
  for (const bytes of isQuick ? [100] : [10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]) {
    const calls = isQuick ? 10 : Math.round(Math.max(20, Math.min(50_000, 2e8 / bytes)))
    const load: Load = { kind: 'echo', calls, inFlight: 4, size: bytes }
    const { time } = await large.client.ask<LoadResult>('load', load)
    const rate = (1_000 * calls) / time
    sizes.push({ bytes, rate, bytesPerSecond: 2 * rate * bytes })
  }
  const methods = await measureMethods(isQuick ? [10] : [10, 100, 500, 5_000])
  const types = await measureTypes(isQuick ? [10] : [10, 100, 500])
  return { connections, inFlight, sizes, methods, types }
}

async function withConnections(
  count: number,
  isQuick: boolean,
): Promise<Growth['connections'][number]> {
  const idleMs = isQuick ? 200 : IDLE_MS
  const first = Math.min(50, count / 2)
  await using pair = await Pair.open('flashrpc', first)
  const { heap: memory } = await pair.grow(first, count)
  const cpuBefore = await pair.server.ask<number>('cpu')
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  const idleCpu = ((await pair.server.ask<number>('cpu')) - cpuBefore) / 1_000 / (idleMs / 1_000)
  const tells: number[] = []
  for (let n = 0; n < 5; n++) {
    const begin = performance.now()
    await pair.tell(n, count)
    tells.push(performance.now() - begin)
  }
  const calls = async (): Promise<Quantiles> => {
    const load: Load = { kind: 'serial', calls: isQuick ? 50 : 20_000 }
    const { times = [] } = await pair.client.ask<LoadResult>('load', load)
    return { p50: median(times), p99: quantile(times, 0.99) }
  }
  await calls()
  const call = await calls()
  const callBesideSlow = await pair.whileTold(500, Math.ceil(count / 100), calls)
  return { count, memory, idleCpu, tell: median(tells), call, callBesideSlow }
}

/** Tables in Markdown. */
export function growthTables({ connections, inFlight, sizes, methods, types }: Growth): string {
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
        'p99',
        'beside slow ones, p50',
        'p99',
      ],
      connections.map(({ count, memory, idleCpu, tell, call, callBesideSlow }) => [
        whole(count),
        `${(memory / 1024).toFixed(1)} KiB`,
        `${idleCpu.toFixed(1)} ms/s`,
        `${tell.toFixed(1)} ms`,
        ...[call.p50, call.p99, callBesideSlow.p50, callBesideSlow.p99].map(
          (ms) => `${ms.toFixed(3)} ms`,
        ),
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
    table(
      ['methods', 'to make an endpoint', 'heap of a channel', '… that calls', 'calls/s in memory'],
      methods.map(({ count, create, idle, calling, rate }) => [
        whole(count),
        `${create.toFixed(2)} ms`,
        `${(idle / 1024).toFixed(1)} KiB`,
        `${(calling / 1024).toFixed(1)} KiB`,
        whole(rate),
      ]),
    ),
    table(
      ['methods', 'tsc checks in', 'instantiations', 'memory'],
      types.map(({ count, check, instantiations, memory }) => [
        whole(count),
        `${check.toFixed(2)} s`,
        whole(instantiations),
        `${(memory / 1024).toFixed(0)} MiB`,
      ]),
    ),
  ].join('\n\n')
}
