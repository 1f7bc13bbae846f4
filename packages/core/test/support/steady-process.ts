import { MessageChannel } from 'node:worker_threads'
import {
  type CallOptions,
  createChannel,
  createClient,
  type HandlerContext,
  messagePortTransport,
  RpcError,
} from '@flashrpc/core'
import { createEndpoint, memoryResultStore } from '@flashrpc/core/server'

interface Methods {
  echo(params: { value: unknown }): unknown
  steps(params: object): number
  sum(params: object): number
  count(params: { upTo: number }): AsyncIterable<number>
  double(params: object): AsyncIterable<number>
  /** Where middleware lets it through. */
  reach(params: object): number
}

/**
 * Calls of every kind over a socket, in a session and over a port: many to warm up, and as many again between two marks
 * that a log of hidden classes shows, as each gives an object a member of that name.
 */
const methods = {
  echo: ({ value }: { value: unknown }) => value,
  steps: (_: object, { progress }: HandlerContext) => {
    progress(0.5)
    return 1
  },
  sum: async (_: object, { input }: HandlerContext) => {
    let sum = 0
    for await (const n of input) sum += n as number
    return sum
  },
  async *count({ upTo }: { upTo: number }) {
    for (let n = 0; n < upTo; n++) yield n
  },
  async *double(_: object, { input }: HandlerContext) {
    for await (const n of input) yield 2 * (n as number)
  },
  reach: () => 1,
}
const bytes = new Uint8Array(2_000)
const VALUES = [1, 'text', { rows: [{ id: 1, name: 'one' }] }, bytes, { bytes, more: [bytes] }]

await using keeping = createEndpoint<Methods>({
  methods,
  resume: {},
  idempotency: { store: memoryResultStore() },
})
await using plain = createEndpoint<Methods>({
  methods,
  use: (call, next) => {
    if (call.method === 'reach') throw new RpcError(-32_001, 'No further')
    return next()
  },
})
const { port1, port2 } = new MessageChannel()
await using served = createChannel<Methods, object>({
  side: 'server',
  transport: messagePortTransport(port1),
  methods,
})
await using inSession = createClient<Methods>({ url: (await keeping.listen()).url })
await using onSocket = createClient<Methods>({
  url: (await plain.listen()).url,
  use: (call, next) => {
    call.meta.trace = 'one'
    return next()
  },
})
await using onPort = createChannel<object, Methods>({
  side: 'client',
  transport: messagePortTransport(port2),
})
const ROUNDS = 200
let keys = 0

async function callAll(): Promise<void> {
  for (const peer of [inSession, onSocket, onPort]) {
    const { other } = peer
    const echo = (value: unknown, options?: CallOptions) => other.echo({ value }, options)
    for (let n = 0; n < ROUNDS; n++) {
      await Promise.all([
        ...VALUES.map((value) => echo(value)),
        echo(1, { timeout: 5_000 }),
        echo(1, { signal: new AbortController().signal }),
        other.steps({}, { onProgress: () => {} }),
        other.sum({}, { input: [1, 2] }),
        other.reach({}).catch(() => {}),
      ])
      for await (const _ of peer.stream('count', { upTo: 2 }));
      for await (const _ of peer.stream('double', {}, { input: [1, 2] }));
      if (peer === inSession) await echo(1, { idempotencyKey: `key ${keys++}` })
    }
  }
}

function mark(name: string): void {
  const marked: Record<string, unknown> = {}
  marked[name] = served
}

await callAll()
mark('beginMark')
await callAll()
mark('endMark')
