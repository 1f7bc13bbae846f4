import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A balancer that gives each connection to the next server in turn, whoever its client is; as nginx does. */
export interface Balancer {
  readonly port: number
  /** Where connections may lead, by name; a server that can't be reached is passed over. */
  readonly targets: Map<string, number>
  /** The server of each connection that is open. */
  readonly open: ReadonlyMap<Socket, string>
  /** Cuts all connections. */
  cut(): void
  close(): Promise<void>
}

export async function startBalancer(wanted: number): Promise<Balancer> {
  const targets = new Map<string, number>()
  const open = new Map<Socket, string>()
  let turn = 0

  const lead = async (client: Socket) => {
    client.on('error', () => client.destroy())
    for (let tries = targets.size; tries > 0; tries--) {
      const [name, port] = [...targets][turn++ % targets.size] ?? ['', 0]
      const server = connect(port, '127.0.0.1')
      try {
        await once(server, 'connect')
      } catch {
        continue
      }
      open.set(client, name)
      const end = () => {
        open.delete(client)
        client.destroy()
        server.destroy()
      }
      server.on('error', end).on('close', end)
      client.on('close', end)
      if (client.destroyed) return end()
      client.pipe(server).pipe(client)
      return
    }
    client.destroy()
  }

  const listener = createServer((client) => void lead(client)).listen(wanted, '127.0.0.1')
  await once(listener, 'listening')
  const cut = () => {
    for (const client of open.keys()) client.destroy()
  }
  return {
    port: (listener.address() as AddressInfo).port,
    targets,
    open,
    cut,
    async close() {
      const closed = once(listener, 'close')
      listener.close()
      cut()
      await closed
    },
  }
}
