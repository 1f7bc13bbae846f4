import type { Load, LoadResult } from './load.ts'
import type { BASELINE } from './peers.ts'
import { Program } from './process.ts'
import { median } from './statistics.ts'

/** What is measured of one peer in one round. Less is better, but of `rate`. */
export interface Sample {
  /** Calls, or notes, a second. */
  readonly rate?: number
  /** In ms: of what the scenario says. */
  readonly time?: number
  /** Of both processes together, in µs a call. */
  readonly cpu?: number
  /** In bytes. */
  readonly memory?: number
}

export interface Scenario {
  readonly title: string
  /** What carries it. */
  readonly wire: keyof typeof BASELINE
  /** What is compared first. */
  readonly figure: keyof Sample
  /** @returns what measures a peer, again and again; null where it can't do this. */
  open(peer: string, isQuick: boolean): Promise<Measured | null>
}

export interface Measured extends AsyncDisposable {
  measure(): Promise<Sample>
  /** Of all rounds together, in bytes: the most that both processes had. */
  peakMemory?(): Promise<number>
}

/** A server and its clients, each in a process of its own. */
class Pair implements AsyncDisposable {
  readonly server: Program
  readonly client: Program
  readonly hasBytes: boolean

  private constructor(server: Program, client: Program, hasBytes: boolean) {
    this.server = server
    this.client = client
    this.hasBytes = hasBytes
  }

  static async open(peer: string, clients = 1, core?: number): Promise<Pair> {
    const server = new Program(peer, 'server', core)
    const client = new Program(peer, 'client', core)
    const port = await server.ask<number>('serve')
    const { bytes } = await client.ask<{ bytes: boolean }>('connect', { port, clients })
    return new Pair(server, client, bytes)
  }

  async cpu(): Promise<number> {
    const [server, client] = await Promise.all([
      this.server.ask<number>('cpu'),
      this.client.ask<number>('cpu'),
    ])
    return server + client
  }

  async peakMemory(): Promise<number> {
    const [server, client] = await Promise.all([
      this.server.ask<number>('peakMemory'),
      this.client.ask<number>('peakMemory'),
    ])
    return server + client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.server[Symbol.asyncDispose](), this.client[Symbol.asyncDispose]()])
  }
}

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

/** A load of one client's, warmed up once. */
function loading(
  title: string,
  load: Load,
  quick: Load,
  wire: Scenario['wire'] = 'socket',
): Scenario {
  return {
    title,
    wire,
    figure: 'rate',
    async open(peer, isQuick) {
      const pair = await (wire === 'port' ? Thread.open(peer) : Pair.open(peer))
      if (load.kind === 'bytes' && !pair.hasBytes) {
        await pair[Symbol.asyncDispose]()
        return null
      }
      const chosen = isQuick ? quick : load
      await pair.client.ask('load', chosen)
      return {
        async measure() {
          const before = await pair.cpu()
          const { calls, time } = await pair.client.ask<LoadResult>('load', chosen)
          const cpu = (await pair.cpu()) - before
          return { rate: (1_000 * calls) / time, cpu: cpu / calls }
        },
        peakMemory: () => pair.peakMemory(),
        [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
      }
    },
  }
}

const add = (calls: number): Load => ({ kind: 'add', calls, inFlight: 64, size: 0 })

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'in-flight': loading('64 calls in flight', add(40_000), add(500)),
  burst: loading(
    '10,000 calls in one turn',
    { kind: 'burst', calls: 10_000, times: 4 },
    { kind: 'burst', calls: 200, times: 1 },
  ),
  serial: {
    wire: 'socket',
    title: 'One call after another, both ends on one core: p50',
    figure: 'time',
    async open(peer, isQuick) {
      const pair = await Pair.open(peer, 1, 0)
      const calls = isQuick ? 50 : 3_000
      await pair.client.ask('load', { kind: 'serial', calls })
      return {
        async measure() {
          const before = await pair.cpu()
          const { times = [] } = await pair.client.ask<LoadResult>('load', {
            kind: 'serial',
            calls,
          })
          return { time: median(times), cpu: ((await pair.cpu()) - before) / calls }
        },
        [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
      }
    },
  },
  json: loading(
    '16 KB of JSON, 16 in flight',
    { kind: 'echo', calls: 3_000, inFlight: 16, size: 16_384 },
    { kind: 'echo', calls: 50, inFlight: 16, size: 16_384 },
  ),
  bytes: loading(
    'Uint8Array of 1 MiB less 1 KiB, 4 in flight',
    { kind: 'bytes', calls: 200, inFlight: 4, size: 1_047_552 },
    { kind: 'bytes', calls: 8, inFlight: 4, size: 1_047_552 },
  ),
  'call-many': {
    wire: 'socket',
    title: 'The server calls 500 clients, and awaits all',
    figure: 'time',
    async open(peer, isQuick) {
      const clients = isQuick ? 20 : 500
      const times = isQuick ? 2 : 20
      const pair = await Pair.open(peer, clients)
      const call = () => pair.server.ask<number | null>('callAll', { times, clients })
      if ((await call()) === null) {
        await pair[Symbol.asyncDispose]()
        return null
      }
      return {
        async measure() {
          const before = await pair.cpu()
          const time = (await call()) as number
          return { time: time / times, cpu: ((await pair.cpu()) - before) / (times * clients) }
        },
        [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
      }
    },
  },
  'tell-many': {
    wire: 'socket',
    title: 'A notification to 500 clients: until the last has it',
    figure: 'time',
    async open(peer, isQuick) {
      const clients = isQuick ? 20 : 500
      const times = isQuick ? 2 : 40
      const pair = await Pair.open(peer, clients)
      const tell = async (): Promise<boolean> => {
        for (let n = 0; n < times; n++) {
          if ((await pair.server.ask('noteAll', { n })) === null) return false
          const noted = pair.client.ask('noted', { count: clients })
          await noted
        }
        return true
      }
      if (!(await tell())) {
        await pair[Symbol.asyncDispose]()
        return null
      }
      return {
        async measure() {
          const before = await pair.cpu()
          const begin = performance.now()
          await tell()
          const time = (performance.now() - begin) / times
          return { time, cpu: ((await pair.cpu()) - before) / (times * clients) }
        },
        [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
      }
    },
  },
  idle: {
    wire: 'socket',
    title: 'Memory of the server for each idle connection',
    figure: 'memory',
    async open(peer, isQuick) {
      return {
        async measure() {
          const clients = isQuick ? 20 : 1_000
          const server = new Program(peer, 'server')
          const client = new Program(peer, 'client')
          try {
            const port = await server.ask<number>('serve')
            // What the first ones load is no connection's.
            await client.ask('connect', { port, clients: isQuick ? 5 : 50 })
            const before = await server.ask<{ used: number }>('memory')
            await client.ask('connect', { port, clients: clients + (isQuick ? 5 : 50) })
            const after = await server.ask<{ used: number }>('memory')
            return { memory: (after.used - before.used) / clients }
          } finally {
            await Promise.all([server[Symbol.asyncDispose](), client[Symbol.asyncDispose]()])
          }
        },
        [Symbol.asyncDispose]: async () => {},
      }
    },
  },
  port: loading('A port to a thread: 64 calls in flight', add(60_000), add(500), 'port'),
  'port-bytes': loading(
    'A port to a thread: Uint8Array of 1 MiB less 1 KiB, 4 in flight',
    { kind: 'bytes', calls: 400, inFlight: 4, size: 1_047_552 },
    { kind: 'bytes', calls: 8, inFlight: 4, size: 1_047_552 },
    'port',
  ),
}
