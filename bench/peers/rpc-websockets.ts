import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Client, Server } from 'rpc-websockets'
import type { Note, Peer } from '../peer.ts'

/** As its README says. Only clients can call. */
export const rpcWebsockets: Peer = {
  async serve() {
    const server = new Server({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    server.register('add', ({ a, b }: { a: number; b: number }) => a + b)
    server.register('echo', (value: object) => value)
    server.event('note')
    return {
      port: (server.wss.address() as AddressInfo).port,
      noteAll: (note) => server.emit('note', note),
    }
  },
  async connect(port, page) {
    const client = new Client(`ws://127.0.0.1:${port}`)
    await new Promise<void>((resolve) => client.once('open', () => resolve()))
    await client.subscribe('note')
    client.on('note', (note: Note) => page.noted(note))
    return {
      add: (a, b) => client.call('add', { a, b }) as Promise<number>,
      echo: (value) => client.call('echo', value as Record<string, unknown>) as Promise<object>,
    }
  },
}
