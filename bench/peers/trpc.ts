import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Peer } from '../peer.ts'

const t = initTRPC.create()
const value = z.record(z.string(), z.unknown())
const router = t.router({
  add: t.procedure
    .input(z.object({ a: z.number(), b: z.number() }))
    .query(({ input: { a, b } }) => a + b),
  echo: t.procedure.input(value).query(({ input }) => input),
})

/** As "WebSockets" in its documentation says, with validation by zod. Only clients can call. */
export const trpc: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    applyWSSHandler({ wss: server, router })
    return { port: (server.address() as AddressInfo).port }
  },
  async connect(port) {
    const client = createWSClient({
      url: `ws://127.0.0.1:${port}`,
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    })
    const { add, echo } = createTRPCClient<typeof router>({ links: [wsLink({ client })] })
    await add.query({ a: 1, b: 1 })
    return {
      add: (a, b) => add.query({ a, b }),
      echo: (given) => echo.query(given as Record<string, unknown>),
    }
  },
}
