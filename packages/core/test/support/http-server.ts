import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** An HTTP server that answers each upgrade with what `answer` writes, and counts them. */
export async function httpServer(answer: (socket: Duplex, request: IncomingMessage) => void) {
  const sockets = new Set<Duplex>()
  const server = createServer()
  const counter = {
    port: 0,
    url: '',
    /** Upgrades that were asked for. */
    upgrades: 0,
    /** Sockets that are open. */
    get open() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket) => {
    counter.upgrades++
    // Unread, it would not hear of the other side's end.
    socket.resume()
    socket.on('end', () => socket.end())
    answer(socket, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  counter.port = (server.address() as AddressInfo).port
  counter.url = `ws://127.0.0.1:${counter.port}`
  return counter
}

/** What an upgrade to a WebSocket is accepted with: RFC 6455, section 4.2.2. */
export function acceptanceOf({ headers }: IncomingMessage): string {
  const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}

/** An answer with this status, and these further headers. */
export function refuse(status: string, ...headers: string[]): (socket: Duplex) => void {
  const lines = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0', ...headers]
  return (socket) => socket.end(`${lines.join('\r\n')}\r\n\r\n`)
}
