import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from 'json-rpc-2.0'
import { WebSocket, WebSocketServer } from 'ws'
import type { Note, Page, Peer } from '../peer.ts'

type Methods = Record<string, (params: never) => unknown>

/** As "Bi-directional JSON-RPC" in its README says. */
export const jsonRpc2: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const clients: JSONRPCServerAndClient[] = []
    const methods: Methods = {
      add: ({ a, b }: { a: number; b: number }) => a + b,
      echo: (value: object) => value,
    }
    server.on('connection', (socket) => clients.push(over(socket, methods)))
    return {
      port: (server.address() as AddressInfo).port,
      callAll: async (n) => {
        const calls = clients.map(
          async (client): Promise<number> => client.request('double', { n }),
        )
        return Promise.all(calls)
      },
      noteAll: (note) => {
        for (const client of clients) client.notify('note', note)
      },
    }
  },
  async connect(port, page) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(socket, 'open')
    const server = over(socket, pageMethods(page))
    return {
      add: async (a, b) => server.request('add', { a, b }),
      echo: async (value) => server.request('echo', value),
    }
  },
}

function pageMethods(page: Page): Methods {
  return {
    double: ({ n }: { n: number }) => page.double(n),
    note: (note: Note) => page.noted(note),
  }
}

function over(socket: WebSocket, methods: Methods): JSONRPCServerAndClient {
  const end = new JSONRPCServerAndClient(
    new JSONRPCServer(),
    new JSONRPCClient((request) => socket.send(JSON.stringify(request))),
  )
  for (const [name, method] of Object.entries(methods)) end.addMethod(name, method as never)
  socket.on('message', (data) => end.receiveAndSend(JSON.parse(data.toString())))
  return end
}
