import { type Client, createClient } from '@flashrpc/core'
import { makeCalls, type Runs } from '../calling.ts'
import { leftovers, optionsOf, tell } from '../child.ts'
import { EndLedger, RunLedger } from '../ledger.ts'

/** Clients that call their server, and write down what it calls here. */

export interface ClientProcessOptions {
  readonly folder: string
  readonly name: string
  readonly url: string
  readonly clients: number
  /** Calls that each makes. */
  readonly calls: number
  /** How many each may have open. */
  readonly concurrency: number
  /** How long each waits between two calls, in ms. */
  readonly pauseMs: number
  /** How long a call waits for its answer, in ms. */
  readonly timeoutMs: number
  /** Whether calls fail that wait for a connection longer than this, in ms; 0: they wait on. */
  readonly offlineMs: number
  /** How long an attempt to connect may take, in ms. */
  readonly connectTimeoutMs: number
  /** After how much silence the server is asked whether it lives, in ms. */
  readonly heartbeatMs: number
  readonly retry: { readonly minDelayMs: number; readonly maxDelayMs: number }
}

const options = optionsOf<ClientProcessOptions>()
const { folder, name, url, retry, timeoutMs, offlineMs, pauseMs, connectTimeoutMs, heartbeatMs } =
  options
const runs = new RunLedger(folder)
const ends = new EndLedger(folder)
const stopping = new AbortController()
let connected = 0
let resumed = 0

const clients = Array.from({ length: options.clients }, () => {
  const client: Client<Runs, Runs> = createClient<Runs, Runs>({
    url,
    retry,
    timeout: timeoutMs,
    connectTimeoutMs,
    heartbeat: { intervalMs: heartbeatMs, timeoutMs: 2 * heartbeatMs },
    limits: {
      queuedMessages: 10_000,
      queuedBytes: 16 * 1024 * 1024,
      running: Number.POSITIVE_INFINITY,
    },
    methods: {
      run: ({ caller, n }) => {
        runs.write({ sid: client.state.sessionId ?? '-', caller, n })
        return n
      },
    },
  })
  let before = client.state.status
  client.subscribe(({ status, resumed: isResumed }) => {
    if (status === 'connected' && before !== 'connected') {
      connected++
      if (isResumed) resumed++
      tell({ kind: 'state', connected, resumed })
    }
    before = status
  })
  return client
})

process.on('message', (message) => {
  if (message === 'enough') stopping.abort()
  else void close()
})

await Promise.all(clients.map((client) => client.connect()))

const made: Record<string, number> = {}
/** How many calls each has ended. */
const endedOf = clients.map(() => 0)

await Promise.all(
  clients.map(async (client, index) => {
    const caller = `${name}.${index}`
    made[caller] = await makeCalls({
      caller,
      count: options.calls,
      concurrency: options.concurrency,
      call: async (params) => {
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
        const isWaiting = offlineMs > 0 && client.state.status !== 'connected'
        return client.other.run(params, isWaiting ? { timeout: offlineMs } : {})
      },
      isConnected: () => client.state.status === 'connected',
      ends,
      progress: (ended) => {
        endedOf[index] = ended
        tell({ kind: 'progress', caller: name, ended: endedOf.reduce((sum, one) => sum + one, 0) })
      },
      signal: stopping.signal,
    })
  }),
)
tell({ kind: 'done', made, leftovers: [] })

async function close(): Promise<void> {
  await Promise.all(clients.map((client) => client.close()))
  ends.flush()
  // What closing begins to end, ends soon.
  await new Promise((resolve) => setTimeout(resolve, 50))
  tell({ kind: 'done', made, leftovers: leftovers() })
  process.disconnect?.()
}
