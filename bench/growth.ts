import type { Load, LoadResult } from './load.ts'
import { Program } from './process.ts'
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
  const pair = await open(1)
  try {
    const inFlight = []
    for (const count of isQuick ? [1, 10] : [1, 8, 64, 512, 4_096, 32_768]) {
      const calls = isQuick ? 100 : Math.max(count * 4, count === 1 ? 20_000 : 100_000)
      const load: Load = { kind: 'add', calls, inFlight: count, size: 0 }
      await pair.client.ask('load', load)
      const before = await cpuOf(pair)
      const { time } = await pair.client.ask<LoadResult>('load', load)
      const cpu = ((await cpuOf(pair)) - before) / calls
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
  } finally {
    await close(pair)
  }
}

interface Processes {
  readonly server: Program
  readonly client: Program
  readonly port: number
}

async function open(clients: number): Promise<Processes> {
  const server = new Program('flashrpc', 'server')
  const client = new Program('flashrpc', 'client')
  const port = await server.ask<number>('serve')
  await client.ask('connect', { port, clients })
  return { server, client, port }
}

async function withConnections(
  count: number,
  idleMs: number,
): Promise<Growth['connections'][number]> {
  const first = Math.min(50, count / 2)
  const pair = await open(first)
  const { server, client, port } = pair
  try {
    const before = await server.ask<{ used: number }>('memory')
    await client.ask('connect', { port, clients: count })
    const after = await server.ask<{ used: number }>('memory')
    const cpuBefore = await server.ask<number>('cpu')
    await new Promise((resolve) => setTimeout(resolve, idleMs))
    const idleCpu = ((await server.ask<number>('cpu')) - cpuBefore) / 1_000 / (idleMs / 1_000)
    const tells: number[] = []
    for (let n = 0; n < 5; n++) {
      const begin = performance.now()
      await server.ask('noteAll', { n })
      await client.ask('noted', { count })
      tells.push(performance.now() - begin)
    }
    const { times = [] } = await client.ask<LoadResult>('load', { kind: 'serial', calls: 500 })
    return {
      count,
      memory: (after.used - before.used) / (count - first),
      idleCpu,
      tell: median(tells),
      call: median(times),
    }
  } finally {
    await close(pair)
  }
}

async function cpuOf({ server, client }: Processes): Promise<number> {
  return (await server.ask<number>('cpu')) + (await client.ask<number>('cpu'))
}

async function close({ server, client }: Processes): Promise<void> {
  await Promise.all([server[Symbol.asyncDispose](), client[Symbol.asyncDispose]()])
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
