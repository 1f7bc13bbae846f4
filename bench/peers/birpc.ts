import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createBirpc } from 'birpc'
import { WebSocket, WebSocketServer } from 'ws'
import type { Note, Page, Peer } from '../peer.ts'

const serverFunctions = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  echo: (value: object) => value,
}
const pageFunctions = (page: Page) => ({
  double: ({ n }: { n: number }) => page.double(n),
  note: (note: Note) => page.noted(note),
})
type Server = typeof serverFunctions
type Client = ReturnType<typeof pageFunctions>

/** As "Using WebSocket" in its README says. It carries bytes in no way of its own there. */
export const birpc: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const clients: ReturnType<typeof createBirpc<Client, Server>>[] = []
    server.on('connection', (socket) => {
      clients.push(createBirpc<Client, Server>(serverFunctions, over(socket)))
    })
    return {
      port: (server.address() as AddressInfo).port,
      callAll: (n) => Promise.all(clients.map((client) => client.double({ n }))),
      noteAll: (note) => {
        for (const client of clients) void client.note.asEvent(note)
      },
    }
  },
  async connect(port, page) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(socket, 'open')
    const server = createBirpc<Server, Client>(pageFunctions(page), over(socket))
    return {
      add: (a, b) => server.add({ a, b }),
      echo: (value) => server.echo(value),
    }
  },
}

function over(socket: WebSocket) {
  return {
    post: (data: string) => socket.send(data),
    on: (listener: (data: string) => void) => socket.on('message', listener),
    serialize: (value: unknown) => JSON.stringify(value),
    deserialize: (text: string) => JSON.parse(text),
  }
}
