import { createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { makeCalls, type Runs } from '../calling.ts'
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
let channel: ServerChannel<Runs, Runs> | undefined
/** Who waits for a channel. */
const waiting: (() => void)[] = []
const made: Record<string, number> = {}

const endpoint = createEndpoint<Runs, Runs>({
  ...(level === 1 && { resume: { windowMs: 120_000 } }),
  timeout: 120_000,
  limits: { running: Number.POSITIVE_INFINITY },
  methods: {
    run: ({ caller, n }, { channel }) => {
      runs.write({ sid: channel.id, caller, n })
      if (workMs === 0) return n
      return new Promise((resolve) => setTimeout(() => resolve(n), Math.random() * workMs))
    },
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

process.on('message', () => void stop(0))
process.on('SIGTERM', () => void stop(10_000))

async function stop(drain: number): Promise<void> {
  await endpoint.close({ drain })
  ends.flush()
  // What closing begins to end, ends soon.
  await new Promise((resolve) => setTimeout(resolve, 50))
  tell({ kind: 'done', made, leftovers: leftovers() })
  process.disconnect?.()
}
