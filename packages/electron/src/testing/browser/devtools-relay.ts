import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** The address for Playwright: Chromium's own endpoint, behind a relay that delays it a little. */
export interface DevtoolsRelay {
  readonly endpoint: string
  /** Whether somebody is connected. */
  isUsed(): boolean
  close(): Promise<void>
}

/** How much of a message is looked at, in bytes: its method. */
const HEAD = 64
const END_OF_HEADERS = '\r\n\r\n'

/**
 * Passes a WebSocket of the DevTools protocol on, and holds messages to the client back. Whichever
 * client lets a new page go, it goes: so a page that another one opened is made known to Playwright
 * once it has its preload.
 *
 * @param endpoint - Chromium's own.
 * @param hold - Gets the beginning of a message; it, and those after it, wait for what this returns.
 */
export async function startDevtoolsRelay(
  endpoint: string,
  hold: (head: string) => Promise<unknown> | undefined,
): Promise<DevtoolsRelay> {
  const target = new URL(endpoint)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const chromium = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [client, chromium],
      [chromium, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    passUp(client, chromium)
    passDown(chromium, client, hold)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `ws://127.0.0.1:${port}${target.pathname}`,
    isUsed: () => sockets.size > 0,
    close: () => closeServer(server, sockets),
  }
}

/** From the client, whose request to upgrade loses its offer to compress: messages stay legible. */
function passUp(client: Socket, chromium: Socket): void {
  let headers = ''
  client.on('data', function read(chunk: Buffer) {
    headers += chunk.toString('latin1')
    if (!headers.includes(END_OF_HEADERS)) return
    chromium.write(headers.replace(/\r\nsec-websocket-extensions:[^\r]*/i, ''), 'latin1')
    client.off('data', read)
    client.pipe(chromium)
  })
}

/** To the client: the answer to its request, then one frame after the other. */
function passDown(
  chromium: Socket,
  client: Socket,
  hold: (head: string) => Promise<unknown> | undefined,
): void {
  let rest: Buffer = Buffer.alloc(0)
  let isOpen = false
  let held: Promise<unknown> | undefined

  function pass(frame: Buffer, head: string): void {
    const wait = hold(head)
    if (!wait && !held) {
      client.write(frame)
      return
    }
    const passed = Promise.allSettled([held, wait]).then(() => {
      client.write(frame)
      if (held === passed) held = undefined
    })
    held = passed
  }

  chromium.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    if (!isOpen) {
      const end = rest.indexOf(END_OF_HEADERS)
      if (end < 0) return
      isOpen = true
      client.write(rest.subarray(0, end + END_OF_HEADERS.length))
      rest = rest.subarray(end + END_OF_HEADERS.length)
    }
    for (let frame = frameIn(rest); frame; frame = frameIn(rest)) {
      const { start, end } = frame
      pass(rest.subarray(0, end), rest.toString('latin1', start, Math.min(end, start + HEAD)))
      rest = rest.subarray(end)
    }
  })
}

/** The begin and the end of the first frame's payload; `undefined` if the frame is not complete. */
function frameIn(bytes: Buffer): { start: number; end: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  const start = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < start) return undefined
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  return bytes.length < start + length ? undefined : { start, end: start + length }
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}
