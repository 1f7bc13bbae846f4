import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxy } from 'proxy'

/** A proxy, from npm, that counts what goes through it. */
export class CountingProxy implements AsyncDisposable {
  /** Whom it was asked to connect to, in order: `host:port`. */
  readonly connects: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  #bytes = 0

  private constructor(server: Server) {
    this.#server = server
    server.prependListener('connect', ({ url }: IncomingMessage) => {
      this.connects.push(url ?? '')
    })
    server.on('clientError', () => {})
    server.on(
      server.listenerCount('secureConnection') > 0 ? 'secureConnection' : 'connection',
      (socket: Duplex) => {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => this.#sockets.delete(socket))
        // What is piped through is counted as it is read.
        const push = socket.push
        socket.push = (chunk: unknown, ...rest) => {
          if (chunk instanceof Uint8Array) this.#bytes += chunk.byteLength
          return push.call(socket, chunk, ...rest)
        }
      },
    )
  }

  /** @param credentials what `Proxy-Authorization` must say, such as `user:password`. */
  static async listen({
    port = 0,
    credentials,
    server = createServer(),
  }: {
    port?: number
    credentials?: string
    server?: Server
  } = {}): Promise<CountingProxy> {
    const proxy = createProxy(server)
    if (credentials !== undefined) {
      const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`
      proxy.authenticate = ({ headers }) => headers['proxy-authorization'] === wanted
    }
    const counting = new CountingProxy(proxy)
    proxy.listen(port, '127.0.0.1')
    await once(proxy, 'listening')
    return counting
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Bytes that clients sent. */
  get bytes(): number {
    return this.#bytes
  }

  /** Connections of clients that are open. */
  get open(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A server that answers CONNECT with what `answer` writes. */
export async function refusingProxy(answer: (socket: Duplex) => void) {
  const sockets = new Set<Duplex>()
  const server = createServer()
  let connects = 0
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    connects++
    socket.on('error', () => {})
    socket.resume()
    socket.on('end', () => socket.end())
    answer(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connects() {
      return connects
    },
    get open() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
