import { createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { makeCalls, type Runs, type Streams } from '../calling.ts'
import { leftovers, optionsOf, tell } from '../child.ts'
import { EndLedger, RunLedger } from '../ledger.ts'

/** A server whose handler writes down what it runs, and that calls its clients. */

export interface ServerOptions {
  readonly folder: string
  readonly name: string
  readonly level: 0 | 1
  /** Calls to make of the client; 0 makes none. */
  readonly calls: number
  readonly concurrency: number
  /** How long a call takes here, in ms, at random up to this. */
  readonly workMs: number
}

const { folder, name, level, calls, concurrency, workMs } = optionsOf<ServerOptions>()
const runs = new RunLedger(folder)
const ends = new EndLedger(folder)

/** The newest channel: calls go there. */
let channel: ServerChannel<Runs & Streams, Runs> | undefined
/** Who waits for a channel. */
const waiting: (() => void)[] = []
const made: Record<string, number> = {}

const endpoint = createEndpoint<Runs & Streams, Runs>({
  ...(level === 1 && { resume: { windowMs: 120_000 } }),
  timeout: 120_000,
  limits: { running: Number.POSITIVE_INFINITY },
  methods: {
    run: ({ caller, n }, { channel }) => {
      runs.write({ sid: channel.id, caller, n })
      if (workMs === 0) return n
      return new Promise((resolve) => setTimeout(() => resolve(n), Math.random() * workMs))
    },
    async *count({ upTo }) {
      for (let n = 0; n < upTo; n++) yield n
    },
    async take(_, { input }) {
      let next = 0
      for await (const n of input) if (n === next) next++
      return next
    },
    echo: (_, { input }) => input as AsyncIterable<number>,
  },
  onConnect: [
    (connected) => {
      channel = connected
      for (const wake of waiting.splice(0)) wake()
    },
  ],
  onDisconnect: [
    (gone) => {
      if (channel === gone) channel = undefined
    },
  ],
})

/** How often all clients are told something, in ms. */
const BROADCAST_MS = 20
let broadcasting: ReturnType<typeof setInterval> | undefined

const { port } = await endpoint.listen()
tell({ kind: 'listening', port })

async function call(params: { caller: string; n: number }): Promise<number> {
  while (!channel) await new Promise<void>((resolve) => waiting.push(resolve))
  return channel.other.run(params)
}

if (calls > 0) {
  made[name] = await makeCalls({
    caller: name,
    count: calls,
    concurrency,
    call,
    isConnected: () => channel?.isConnected ?? false,
    ends,
    progress: (ended) => tell({ kind: 'progress', caller: name, ended }),
  })
  tell({ kind: 'done', made, leftovers: [] })
}

process.on('message', (message) => {
  if (message === 'measure') void measure()
  else if (message === 'broadcast') broadcast()
  else void stop(0)
})
process.on('SIGTERM', () => void stop(10_000))

/** Tells what it holds, once what is garbage has gone. */
async function measure(): Promise<void> {
  for (let times = 0; times < 3; times++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    globalThis.gc?.()
  }
  const { heapUsed: heap, rss } = process.memoryUsage()
  tell({ kind: 'measured', heap, rss, channels: endpoint.channels.size })
}

/** Tells all clients something, again and again, to the end. */
function broadcast(): void {
  const text = 'x'.repeat(40_000)
  broadcasting = setInterval(() => {
    for (const each of endpoint.channels)
      void each.notify('run', { caller: text, n: 0 }).catch(() => {})
  }, BROADCAST_MS)
}

async function stop(drain: number): Promise<void> {
  clearInterval(broadcasting)
  await endpoint.close({ drain })
  ends.flush()
  // What closing begins to end, ends soon.
  await new Promise((resolve) => setTimeout(resolve, 50))
  tell({ kind: 'done', made, leftovers: leftovers() })
  process.disconnect?.()
}
