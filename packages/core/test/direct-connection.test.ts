import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { connectDirectly } from '../src/client/direct-connection.js'
import { type Wire, type WsSocket, WsTransport } from '../src/transport/ws-transport.js'
import { chunksOf, frames, MAX_PAYLOAD } from './support/ws-frames.js'

/** RFC 6455, section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A server that says to each client what it is to say, in such chunks, and ends its connection. */
async function saying() {
  const server = createServer()
  let chunks: readonly Uint8Array[] = []
  let isTogether = false
  server.on('upgrade', async ({ headers }, socket) => {
    socket.on('error', () => {})
    socket.resume()
    const accept = createHash('sha1')
      .update(headers['sec-websocket-key'] + MAGIC)
      .digest('base64')
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
    if (isTogether) socket.cork()
    socket.write(head)
    for (const [n, chunk] of chunks.entries()) {
      socket.write(chunk)
      if (n === 0) socket.uncork()
      for (let turn = 0; turn < 4; turn++) await setImmediate()
    }
    socket.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** @param together whether the first chunk comes with the answer to the upgrade. */
    says(next: readonly Uint8Array[], together: boolean) {
      chunks = next
      isTogether = together
    },
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

/** What a client hears until its connection has ended. */
async function heardOf(url: string, isDirect: boolean, pauses: readonly boolean[]) {
  const told: unknown[][] = []
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
    ...(isDirect && { createConnection: connectDirectly }),
  })
  socket.on('error', () => {})
  let wire: Wire | undefined
  socket.on('upgrade', (response) => {
    wire = response.socket
  })
  let count = 0
  await new Promise<void>((resolve) => {
    socket.on('open', () => {
      const transport = new WsTransport(socket as WsSocket, wire as Wire, false)
      transport.start({
        frame: (frame) => {
          told.push([frame])
          if (!pauses[count++ % pauses.length]) return
          transport.pause(true)
          void setImmediate().then(() => transport.pause(false))
        },
        pong: () => told.push(['pong']),
        close: ({ code, reason }) => {
          told.push(['close', code, reason])
          resolve()
        },
      })
    })
  })
  return told
}

test('a client hears what it hears over any other connection', async () => {
  await using server = await saying()
  const pauses = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(frames(false), fc.boolean(), pauses, async (some, together, when) => {
      server.says(chunksOf(some), together)
      expect(await heardOf(server.url, true, when)).toStrictEqual(
        await heardOf(server.url, false, when),
      )
    }),
    { numRuns: 200 },
  )
}, 60_000)

test("small messages cost a client no event of its connection's stream", async () => {
  interface Server {
    echo(params: { text: string }): string
  }
  await using endpoint = createEndpoint<Server>({ methods: { echo: ({ text }) => text } })
  await using client = createClient<Server>({ url: (await endpoint.listen()).url })
  await client.other.echo({ text: '' })
  const pushed = vi.spyOn(Socket.prototype, 'push')
  expect(await client.other.echo({ text: 'x' })).toBe('x')
  // The server's own.
  expect(pushed).toHaveBeenCalledTimes(1)
  pushed.mockRestore()
})
