import { once } from 'node:events'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

interface Server {
  echo(params: { text: string }): string
}

const echo = ({ text }: { text: string }) => text

/** Around each size at which the header of a frame grows, and at which it is made in another way. */
const SIZES = [
  ...[0, 90, 4_000, 16_384, 65_536].flatMap((size) =>
    Array.from({ length: 70 }, (_, n) => Math.max(0, size - 50 + n)),
  ),
  // … and for which memory is made as they come.
  300_000,
  3_000_000,
]

test.each(
  [
    ['one byte', 'x'],
    ['two bytes', 'é'],
    ['three bytes', '€'],
    ['four bytes', '😀'],
  ].flatMap(([size = '', character = '']) =>
    [true, false].map((fastPath) => [size, fastPath, character] as const),
  ),
)(
  'text of any length arrives as it was sent, each character %s, fastPath: %s',
  async (_, fastPath, character) => {
    const limits = { message: 8 * 1024 * 1024 }
    await using endpoint = createEndpoint<Server>({ methods: { echo }, limits, fastPath })
    const { url } = await endpoint.listen()
    await using client = createClient<Server>({ url, limits, fastPath })
    for (const size of SIZES) {
      const text = character.repeat(size / new TextEncoder().encode(character).length)
      // Compared here: what differs is too long to be printed.
      if ((await client.other.echo({ text })) !== text) expect.fail(`${size} bytes came otherwise`)
    }
  },
)

test('what is told to many is the same frame to each, and what comes between is not', async () => {
  const echoes = ['first', 'second', 'first'].map((text) => ({ text }))
  await using endpoint = createEndpoint<Server, { note(params: { text: string }): void }>({
    methods: { echo },
  })
  const { url } = await endpoint.listen()
  const sockets = Array.from({ length: 3 }, () => new WebSocket(url))
  const heard = sockets.map((socket) => {
    const frames: string[] = []
    socket.on('message', (data) => frames.push(String(data)))
    return frames
  })
  await Promise.all(sockets.map((socket) => once(socket, 'open')))
  // They speak plain JSON-RPC.
  for (const [id, socket] of sockets.entries()) {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'echo', params: { text: 'é' } }))
  }
  await expect.poll(() => heard.flat()).toHaveLength(3)
  for (const params of echoes) void endpoint.all.notify('note', params)
  await expect.poll(() => heard.flat()).toHaveLength(12)
  const notes = echoes.map((params) => ({ jsonrpc: '2.0', method: 'note', params }))
  for (const [id, frames] of heard.entries()) {
    expect(frames.map((frame) => JSON.parse(frame))).toStrictEqual([
      { jsonrpc: '2.0', result: 'é', id },
      ...notes,
    ])
  }
  for (const socket of sockets) socket.terminate()
})
