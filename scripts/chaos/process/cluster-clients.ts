import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '@flashrpc/core'
import { leftovers, optionsOf, tell } from '../child.ts'
import {
  type ClusterCall,
  ClusterCaller,
  type ClusterClient,
  type ClusterServer,
  endingOfValue,
  TIMEOUT_MS,
} from '../cluster-calls.ts'
import { ClusterLedger } from '../cluster-ledger.ts'

/** Clients of a cluster, which come back at any node, call it and one another, and write down what they run. */

export interface ClusterClientsOptions {
  readonly folder: string
  readonly name: string
  readonly url: string
  readonly clients: number
}

const { folder, name, url, clients: count } = optionsOf<ClusterClientsOptions>()
const ledger = new ClusterLedger(folder)
const callers: ClusterCaller[] = []
let connected = 0
let resumed = 0

const clients = Array.from({ length: count }, () => {
  const ran = ({ call }: ClusterCall): void =>
    ledger.write({ at: 'ran', call, where: client.state.sessionId ?? '-' })
  const client: Client<ClusterClient, ClusterServer> = createClient<ClusterServer, ClusterClient>({
    url,
    retry: { minDelayMs: 5, maxDelayMs: 200 },
    timeout: TIMEOUT_MS,
    connectTimeoutMs: 1_000,
    heartbeat: { intervalMs: 500, timeoutMs: 1_000 },
    limits: { running: Number.POSITIVE_INFINITY },
    methods: {
      run: async (params) => {
        ran(params)
        await sleep(params.ms)
        return params.call
      },
      hear: ran,
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

/** The session of a client of this process. */
function someSession(): string | undefined {
  return clients[Math.floor(Math.random() * clients.length)]?.state.sessionId ?? undefined
}

process.on('message', (message) => {
  if (message === 'enough') for (const caller of callers) caller.stop()
  else if (message === 'sessions') {
    const ids = clients.map(({ state }) => state.sessionId ?? '-')
    tell({ kind: 'sessions', ids })
  } else void close()
})

await Promise.all(clients.map((client) => client.connect()))

const calls = clients.map((client, at) => {
  const caller = new ClusterCaller(`${name}.${at}`, ledger)
  callers.push(caller)
  return caller.repeat(() => {
    const chance = Math.random()
    const to = chance < 0.3 ? someSession() : undefined
    const isKeyed = chance > 0.7
    return caller.call(isKeyed ? 'keyed' : 'server', 'server', async (params) => {
      const value =
        to === undefined
          ? await client.other.run(params, isKeyed ? { idempotencyKey: params.call } : {})
          : await client.other.pass({ ...params, to })
      return [{ channel: 'server', ending: endingOfValue(value, params.call) }]
    })
  })
})
await Promise.all(calls)
tell({ kind: 'done', made: {}, leftovers: [] })

async function close(): Promise<void> {
  await Promise.all(clients.map((client) => client.close()))
  // What closing begins to end, ends soon.
  await sleep(50)
  tell({ kind: 'done', made: {}, leftovers: leftovers() })
  process.disconnect?.()
}
