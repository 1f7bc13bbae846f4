import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { wsTransport } from '../src/transport/node/fast-ws-transport.js'
import { connectDirectly } from '../src/transport/node/ws-reader.js'
import type { Wire, WsSocket } from '../src/transport/node/ws-transport.js'
import { acceptanceOf, httpServer } from './support/http-server.js'
import { chunksOf, frames, MAX_PAYLOAD } from './support/ws-frames.js'

/** What a server says to a client that has connected, and how. */
interface Said {
  readonly chunks: readonly Uint8Array[]
  /** Whether the first of them comes with the answer to the upgrade. */
  readonly together: boolean
}

/** Says it, and ends the connection. */
async function say(socket: Duplex, acceptance: string, { chunks, together }: Said): Promise<void> {
  if (together) socket.cork()
  socket.write(acceptance)
  for (const [n, chunk] of chunks.entries()) {
    socket.write(chunk)
    if (n === 0) socket.uncork()
    for (let turn = 0; turn < 4; turn++) await setImmediate()
  }
  socket.end()
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
      const transport = wsTransport(socket as WsSocket, wire as Wire, false, true)
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
  let said: Said = { chunks: [], together: false }
  await using server = await httpServer((socket, request) => {
    void say(socket, acceptanceOf(request), said)
  })
  const pauses = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(frames(false), fc.boolean(), pauses, async (some, together, when) => {
      said = { chunks: chunksOf(some), together }
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
