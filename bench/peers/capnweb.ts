import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { newWebSocketRpcSession, RpcTarget } from 'capnweb'
import { WebSocket, WebSocketServer } from 'ws'
import type { Note, Page, Peer } from '../peer.ts'

// Node has one of its own from 22 on.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket

class Server extends RpcTarget {
  add({ a, b }: { a: number; b: number }): number {
    return a + b
  }
  echo(value: object): object {
    return value
  }
}

class PageTarget extends RpcTarget {
  readonly #page: Page
  constructor(page: Page) {
    super()
    this.#page = page
  }
  double({ n }: { n: number }): number {
    return this.#page.double(n)
  }
  note(note: Note): void {
    this.#page.noted(note)
  }
}

interface Remote {
  add(params: { a: number; b: number }): Promise<number>
  echo(value: unknown): Promise<never>
  double(params: { n: number }): Promise<number>
  note(note: Note): Promise<void>
}

/** As "WebSocket server on Node.js" in its README says, with a main of its own on either side. */
export const capnweb: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const clients: Remote[] = []
    server.on('connection', (socket) => clients.push(session(socket, new Server())))
    return {
      port: (server.address() as AddressInfo).port,
      callAll: (n) => Promise.all(clients.map((client) => client.double({ n }))),
      noteAll: (note) => {
        // It has no notifications: a call whose result nobody takes is the nearest.
        for (const client of clients) client.note(note).then(undefined, () => {})
      },
    }
  },
  async connect(port, page) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(socket, 'open')
    const server = session(socket, new PageTarget(page))
    return {
      add: (a, b) => server.add({ a, b }),
      echo: (value) => server.echo(value),
      bytes: (value) => server.echo(value),
    }
  },
}

function session(socket: WebSocket, main: RpcTarget): Remote {
  return newWebSocketRpcSession(socket as unknown as globalThis.WebSocket, main) as never
}
