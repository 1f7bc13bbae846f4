import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import type { Note, Page, Peer, PeerClient } from '../peer.ts'

interface Request {
  id?: number
  method: string
  params: unknown
}
interface Answer {
  id: number
  result: unknown
}

export type Methods = Record<string, (params: never) => unknown>

export const SERVER_METHODS: Methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  echo: (value: unknown) => value,
}

/**
 * What is written by hand: JSON, a map of promises, one frame a message. What everything else is measured
 * against. No errors, no timeouts, no checks of anything.
 */
export const rawWs: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const ends = new Set<RawEnd>()
    server.on('connection', (socket) => ends.add(new RawEnd(socket, SERVER_METHODS)))
    return {
      port: (server.address() as AddressInfo).port,
      callAll: (n) => Promise.all([...ends].map((end) => end.call<number>('double', { n }))),
      noteAll: (note) => {
        const frame = JSON.stringify({ method: 'note', params: note })
        for (const end of ends) end.socket.send(frame)
      },
    }
  },
  async connect(port, page) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(socket, 'open')
    return clientOf(new RawEnd(socket, pageMethods(page)))
  },
}

export function pageMethods(page: Page): Methods {
  return {
    double: ({ n }: { n: number }) => page.double(n),
    note: (note: Note) => page.noted(note),
  }
}

export function clientOf(end: {
  call<T>(method: string, params: unknown): Promise<T>
  bytes(value: Uint8Array): Promise<Uint8Array>
}): PeerClient {
  return {
    add: (a, b) => end.call('add', { a, b }),
    echo: (value) => end.call('echo', value),
    bytes: (value) => end.bytes(value),
  }
}

/** Bytes are frames of their own, given back as they are, in order. */
class RawEnd {
  readonly socket: WebSocket
  readonly #methods: Methods
  readonly #calls = new Map<number, (result: never) => void>()
  readonly #bytes: ((value: Uint8Array) => void)[] = []
  #id = 0

  constructor(socket: WebSocket, methods: Methods) {
    this.socket = socket
    this.#methods = methods
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return this.#binary(data)
      const message = JSON.parse(data.toString()) as Request | Answer
      if ('method' in message) void this.#serve(message)
      else {
        this.#calls.get(message.id)?.(message.result as never)
        this.#calls.delete(message.id)
      }
    })
  }

  call<T>(method: string, params: unknown): Promise<T> {
    return new Promise((resolve) => {
      const id = ++this.#id
      this.#calls.set(id, resolve)
      this.socket.send(JSON.stringify({ id, method, params }))
    })
  }

  bytes(value: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#bytes.push(resolve)
      this.socket.send(value)
    })
  }

  async #serve({ id, method, params }: Request): Promise<void> {
    const result = await this.#methods[method]?.(params as never)
    if (id !== undefined) this.socket.send(JSON.stringify({ id, result }))
  }

  #binary(data: Buffer): void {
    const resolve = this.#bytes.shift()
    if (resolve) resolve(data)
    else this.socket.send(data)
  }
}
