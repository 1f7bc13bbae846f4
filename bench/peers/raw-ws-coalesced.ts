import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import type { Peer } from '../peer.ts'
import { clientOf, type Methods, pageMethods, SERVER_METHODS } from './raw-ws.ts'

interface Message {
  id?: number
  method?: string
  params?: unknown
  result?: unknown
}

/** The most characters of a frame: above it, large payloads are copied once too often. */
const MOST = 16_384

/** The same, written by hand for speed: what is said in a turn goes out in one frame. */
export const rawWsCoalesced: Peer = {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const ends = new Set<CoalescedEnd>()
    server.on('connection', (socket) => ends.add(new CoalescedEnd(socket, SERVER_METHODS)))
    return {
      port: (server.address() as AddressInfo).port,
      callAll: (n) => Promise.all([...ends].map((end) => end.call<number>('double', { n }))),
      noteAll: (note) => {
        const frame = JSON.stringify({ method: 'note', params: note })
        for (const end of ends) end.say(frame)
      },
    }
  },
  async connect(port, page) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await once(socket, 'open')
    return clientOf(new CoalescedEnd(socket, pageMethods(page)))
  },
}

class CoalescedEnd {
  readonly #socket: WebSocket
  readonly #methods: Methods
  readonly #calls = new Map<number, (result: never) => void>()
  readonly #bytes: ((value: Uint8Array) => void)[] = []
  #id = 0
  #frame = ''

  constructor(socket: WebSocket, methods: Methods) {
    this.#socket = socket
    this.#methods = methods
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return this.#binary(data)
      const frame = JSON.parse(data.toString()) as Message | Message[]
      if (Array.isArray(frame)) for (const message of frame) this.#take(message)
      else this.#take(frame)
    })
  }

  call<T>(method: string, params: unknown): Promise<T> {
    return new Promise((resolve) => {
      const id = ++this.#id
      this.#calls.set(id, resolve)
      this.say(JSON.stringify({ id, method, params }))
    })
  }

  bytes(value: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#bytes.push(resolve)
      this.#socket.send(value)
    })
  }

  say(message: string): void {
    if (this.#frame === '') queueMicrotask(() => this.#flush())
    this.#frame += this.#frame === '' ? message : `,${message}`
    if (this.#frame.length > MOST) this.#flush()
  }

  #flush(): void {
    if (this.#frame === '') return
    this.#socket.send(`[${this.#frame}]`)
    this.#frame = ''
  }

  #take(message: Message): void {
    if (message.method !== undefined) void this.#serve(message as Message & { method: string })
    else {
      this.#calls.get(message.id as number)?.(message.result as never)
      this.#calls.delete(message.id as number)
    }
  }

  async #serve({ id, method, params }: Message & { method: string }): Promise<void> {
    const result = await this.#methods[method]?.(params as never)
    if (id !== undefined) this.say(JSON.stringify({ id, result }))
  }

  #binary(data: Buffer): void {
    const resolve = this.#bytes.shift()
    if (resolve) resolve(data)
    else this.#socket.send(data)
  }
}
