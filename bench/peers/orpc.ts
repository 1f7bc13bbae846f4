import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import { os, type RouterClient } from '@orpc/server'
import { RPCHandler } from '@orpc/server/ws'
import { WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Peer } from '../peer.ts'

const value = z.record(z.string(), z.unknown())
const router = {
  add: os
    .input(z.object({ a: z.number(), b: z.number() }))
    .output(z.number())
    .handler(({ input: { a, b } }) => a + b),
  echo: os
    .input(value)
    .output(value)
    .handler(({ input }) => input),
}

/** As "WebSocket adapter" in its documentation says, with validation by zod. */
export const orpc: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const handler = new RPCHandler(router)
    server.on('connection', (socket) => void handler.upgrade(socket))
    return { port: (server.address() as AddressInfo).port }
  },
  async connect(port) {
    const websocket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(websocket, 'open')
    const link = new RPCLink({ websocket: websocket as unknown as globalThis.WebSocket })
    const client: RouterClient<typeof router> = createORPCClient(link)
    return {
      add: (a, b) => client.add({ a, b }),
      echo: (given) => client.echo(given as Record<string, unknown>),
    }
  },
}
