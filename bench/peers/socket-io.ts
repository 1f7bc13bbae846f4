import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import type { Note, Peer } from '../peer.ts'

/** Acknowledgements are its calls; WebSockets from the start, as no proxy is in the way. */
export const socketIo: Peer = {
  async serve() {
    const http = createServer().listen(0, '127.0.0.1')
    await once(http, 'listening')
    const server = new Server(http, { maxHttpBufferSize: 8 * 1024 * 1024 })
    server.on('connection', (socket) => {
      socket.on('add', ({ a, b }, answer) => answer(a + b))
      socket.on('echo', (value, answer) => answer(value))
    })
    return {
      port: (http.address() as AddressInfo).port,
      callAll: (n) => server.timeout(30_000).emitWithAck('double', { n }),
      noteAll: (note) => server.emit('note', note),
    }
  },
  async connect(port, page) {
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true })
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    socket.on('double', ({ n }: { n: number }, answer: (result: number) => void) => {
      answer(page.double(n))
    })
    socket.on('note', (note: Note) => page.noted(note))
    return {
      add: (a, b) => socket.emitWithAck('add', { a, b }),
      echo: (value) => socket.emitWithAck('echo', value),
      bytes: (value) => socket.emitWithAck('echo', value),
    }
  },
}
