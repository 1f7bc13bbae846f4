import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  type DataCallback,
  type Message,
  type MessageConnection,
} from 'vscode-jsonrpc/node'
import { WebSocket, WebSocketServer } from 'ws'
import type { Note, Peer } from '../peer.ts'

/** Over a WebSocket by a reader and a writer, as vscode-ws-jsonrpc has them. */
export const vscodeJsonrpc: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const clients: MessageConnection[] = []
    server.on('connection', (socket) => {
      const client = over(socket)
      client.onRequest('add', ({ a, b }: { a: number; b: number }) => a + b)
      client.onRequest('echo', (value: object) => value)
      client.listen()
      clients.push(client)
    })
    return {
      port: (server.address() as AddressInfo).port,
      callAll: (n) =>
        Promise.all(clients.map((client) => client.sendRequest<number>('double', { n }))),
      noteAll: (note) => {
        for (const client of clients) void client.sendNotification('note', note)
      },
    }
  },
  async connect(port, page) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(socket, 'open')
    const server = over(socket)
    server.onRequest('double', ({ n }: { n: number }) => page.double(n))
    server.onNotification('note', (note: Note) => page.noted(note))
    server.listen()
    return {
      add: (a, b) => server.sendRequest<number>('add', { a, b }),
      echo: (value) => server.sendRequest<object>('echo', value),
    }
  },
}

function over(socket: WebSocket): MessageConnection {
  return createMessageConnection(new SocketReader(socket), new SocketWriter(socket))
}

class SocketReader extends AbstractMessageReader {
  readonly #socket: WebSocket
  constructor(socket: WebSocket) {
    super()
    this.#socket = socket
  }
  listen(callback: DataCallback) {
    this.#socket.on('message', (data) => callback(JSON.parse(data.toString())))
    return { dispose: () => {} }
  }
}

class SocketWriter extends AbstractMessageWriter {
  readonly #socket: WebSocket
  constructor(socket: WebSocket) {
    super()
    this.#socket = socket
  }
  async write(message: Message): Promise<void> {
    this.#socket.send(JSON.stringify(message))
  }
  end(): void {}
}
