import { once } from 'node:events'
import { createEndpoint } from '@flashrpc/core/server'
import { WebSocket } from 'ws'

/**
 * Connections that say hello, to a server without sessions and to one with sessions: some to warm up, and 300 to each
 * between two marks that a log of hidden classes shows, as each gives an object a member of that name.
 */
const methods = { add: () => 1 }
await using plain = createEndpoint<typeof methods>({ methods })
await using keeping = createEndpoint<typeof methods>({ methods, resume: {} })
const urls = [(await plain.listen()).url, (await keeping.listen()).url]
const limits = { msg: 1_000_000, batch: 100, depth: 100 }
const params = { v: 1, codec: 'json', id: 'a-client', attempt: 1, methods: ['news'], limits }
const hello = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'rpc.hello', params })

function mark(name: string): object {
  return { [name]: true }
}

/** Each stays open until the process ends. */
async function connect(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    for (const url of urls) {
      const socket = new WebSocket(url)
      await once(socket, 'open')
      socket.send(hello)
      const [answer] = (await once(socket, 'message')) as [Buffer]
      if (!String(answer).includes('"result"')) throw new Error(String(answer))
    }
  }
}

await connect(100)
mark('beginMark')
await connect(300)
mark('endMark')
process.exit()
