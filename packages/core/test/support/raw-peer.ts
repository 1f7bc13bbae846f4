import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type RawData, WebSocket, WebSocketServer } from 'ws'

/** How long a test waits for a frame that should come, in ms. Far more than it takes. */
const PATIENCE_MS = 5_000

/** One end of a WebSocket that knows nothing of RPC: it sends exact frames and reads them. */
export class RawPeer implements AsyncDisposable {
  readonly socket: WebSocket
  /** Resolves when the connection has ended. */
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #frames: string[] = []
  #wake: () => void = () => {}

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: RawData) => {
      this.#frames.push(data.toString())
      this.#wake()
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
  }

  /** Sends text as it is, bytes as a binary frame, anything else as JSON. */
  send(message: unknown): void {
    const exact = typeof message === 'string' || message instanceof Uint8Array
    this.socket.send(exact ? message : JSON.stringify(message))
  }

  /** The next frame, as text. */
  async next(): Promise<string> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return frame
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('No frame came')), PATIENCE_MS)
      const end = (settle: () => void) => () => {
        clearTimeout(timer)
        settle()
      }
      this.#wake = end(resolve)
      void this.closed.then(({ code, reason }) =>
        end(() => reject(new Error(`Closed: ${code} ${reason}`)))(),
      )
    })
    return this.next()
  }

  // biome-ignore lint/suspicious/noExplicitAny: what came is compared as a whole, or read by name
  async nextJson(): Promise<any> {
    return JSON.parse(await this.next())
  }

  /** What came and has not been read. */
  get unread(): readonly string[] {
    return this.#frames
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.closed
  }
}

/** Connects a raw client. */
export async function rawClient(url: string): Promise<RawPeer> {
  const socket = new WebSocket(url)
  const peer = new RawPeer(socket)
  await once(socket, 'open')
  return peer
}

/** A WebSocket server that knows nothing of RPC. */
export class RawServer implements AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly #server: WebSocketServer
  readonly #peers: RawPeer[] = []
  readonly #waiting: RawPeer[] = []
  #wake: () => void = () => {}

  private constructor(server: WebSocketServer) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.url = `ws://127.0.0.1:${this.port}`
    server.on('connection', (socket) => {
      const peer = new RawPeer(socket)
      this.#peers.push(peer)
      this.#waiting.push(peer)
      this.#wake()
    })
  }

  static async listen(port = 0): Promise<RawServer> {
    const server = new WebSocketServer({ port, host: '127.0.0.1' })
    await once(server, 'listening')
    return new RawServer(server)
  }

  /** How many connections there have ever been. */
  get ever(): number {
    return this.#peers.length
  }

  /** How many there are now. */
  get open(): number {
    return this.#server.clients.size
  }

  /** The next connection. */
  async accept(): Promise<RawPeer> {
    const peer = this.#waiting.shift()
    if (peer) return peer
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('No connection came')), PATIENCE_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    return this.accept()
  }

  /** The next connection, past its hello, which is answered as a plain JSON-RPC 2.0 server does. */
  async acceptPlain(): Promise<RawPeer> {
    const peer = await this.accept()
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
    return peer
  }

  /** The next connection, past its hello, which is answered as the protocol says. */
  async acceptExtended(result: object = {}): Promise<RawPeer> {
    const peer = await this.accept()
    const { id } = await peer.nextJson()
    const welcome = { v: 1, sid: 'abc', resumed: false, spreadMs: 0, limits: { msg: 1024 * 1024 } }
    peer.send({ jsonrpc: '2.0', id, result: { ...welcome, ...result } })
    return peer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const peer of this.#peers) peer.socket.terminate()
    await Promise.all(this.#peers.map((peer) => peer.closed))
    await closed
  }
}
