import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { settle } from './application.ts'
import { type Load, runLoad } from './load.ts'
import { NOTE_TEXT, type Note, type PeerClient, type PeerServer } from './peer.ts'
import { PEERS, PORT_PEERS, peerNamed, VARIANTS } from './peers.ts'

/** One process of one peer: its server, or its clients. What it is asked for comes from main.ts. */

const [name = ''] = process.argv.slice(2)
const { kind, build } = peerNamed(name)
const peer = await (PEERS[kind] ?? VARIANTS[kind])?.(build)
const portPeer = await PORT_PEERS[kind]?.(build)

let server: PeerServer | undefined
const clients: PeerClient[] = []
/** The serving end of a port. */
let thread: Worker | undefined
/**
 * No process has hundreds of connections before the first message: V8 keeps for good what each of them holds of the
 * only message that it had, and goes on to do so with what is let go at once.
 */
const TRAFFIC: Load = { kind: 'add', calls: 1_000, inFlight: 16, size: 0 }
let noted = 0
let telling: ReturnType<typeof setInterval> | undefined
let whenNoted = (): void => {}

const page = {
  double: (n: number) => 2 * n,
  noted: (note: Note) => {
    if (note.text !== NOTE_TEXT) throw new Error('A note came otherwise than it was sent')
    noted++
    whenNoted()
  },
}

const commands: Record<string, (params: never) => unknown> = {
  async serve() {
    server = await peer?.serve()
    return server?.port
  },
  async connect({ port, clients: wanted }: { port: number; clients: number }) {
    while (clients.length < wanted) {
      const missing = clients.length === 0 ? 1 : Math.min(50, wanted - clients.length)
      const more = Array.from({ length: missing }, () => peer?.connect(port, page))
      clients.push(...(await Promise.all(more)).flatMap((client) => client ?? []))
      if (clients.length === 1 && wanted > 1) await runLoad(clients[0] as PeerClient, TRAFFIC)
    }
    const [client] = clients
    return { bytes: client?.bytes !== undefined }
  },
  /** The same over a port, to a thread. */
  async connectThread() {
    const { port1, port2 } = new MessageChannel()
    thread = new Worker(new URL('port-thread.mjs', import.meta.url), {
      workerData: { name, port: port2 },
      transferList: [port2],
    })
    thread.on('error', (error) => {
      throw error
    })
    const client = await portPeer?.connect(port1)
    if (client) clients.push(client)
    return { bytes: client?.bytes !== undefined }
  },
  settle,
  async settleThread() {
    if (!thread) return
    thread.postMessage('settle')
    await once(thread, 'message')
  },
  load: (load: Load) => runLoad(clients[0] as PeerClient, load),
  /** Calls every client, so many times. @returns how long it took, in ms. */
  async callAll({ times, clients: expected }: { times: number; clients: number }) {
    if (!server?.callAll) return null
    const begin = performance.now()
    for (let n = 0; n < times; n++) {
      const answers = await server.callAll(n)
      if (answers.length !== expected || answers.some((answer) => answer !== 2 * n)) {
        throw new Error('callAll gave something else than the answers')
      }
    }
    return performance.now() - begin
  },
  /** Tells every client, so many times in turn. */
  async noteAll({ n }: { n: number }) {
    if (!server?.noteAll) return null
    await server.noteAll({ n, text: NOTE_TEXT })
    return true
  },
  /** Tells every client again and again, so many ms after the last time; 0 ends that. */
  tellEvery({ ms }: { ms: number }) {
    clearInterval(telling)
    const tell = () => void server?.noteAll?.({ n: 0, text: NOTE_TEXT })
    if (ms > 0) telling = setInterval(tell, ms)
  },
  /** Connects clients that read nothing. */
  async connectSlow({ port, count }: { port: number; count: number }) {
    const sockets = Array.from({ length: count }, () => new WebSocket(`ws://127.0.0.1:${port}`))
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    for (const socket of sockets) socket.pause()
  },
  forget: () => {
    noted = 0
  },
  noted: async ({ count }: { count: number }) => {
    while (noted < count) await new Promise<void>((resolve) => (whenNoted = resolve))
    if (noted > count) throw new Error(`${noted} notes came, and not ${count}`)
    noted = 0
  },
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  peakMemory: () => process.resourceUsage().maxRSS * 1024,
  async memory() {
    for (let n = 0; n < 5; n++) {
      globalThis.gc?.()
      await sleep(50)
    }
    const { heapUsed, external, rss } = process.memoryUsage()
    return { heap: heapUsed + external, resident: rss }
  },
}

process.on(
  'message',
  async ({ id, command, params }: { id: number; command: string; params: never }) => {
    try {
      process.send?.({ id, value: await commands[command]?.(params) })
    } catch (error) {
      process.send?.({ id, error: String(error instanceof Error ? error.stack : error) })
    }
  },
)
process.on('disconnect', () => process.exit())
