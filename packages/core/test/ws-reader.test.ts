import { setImmediate } from 'node:timers/promises'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import * as ws from 'ws'
import { readMessagesOf, type WsReceiver } from '../src/transport/node/ws-reader.js'
import { chunksOf, frames, MAX_PAYLOAD } from './support/ws-frames.js'

/** What the types of `ws` leave out. */
const { Receiver } = ws as unknown as {
  Receiver: {
    new (options: { isServer: boolean; maxPayload: number }): WsReceiver & NodeJS.WritableStream
    prototype: { _write(...args: unknown[]): void }
  }
}

/** A message that was read here, as it is told of one that `ws` read. */
function toldAs(message: string | Uint8Array): string[] {
  return typeof message === 'string'
    ? ['text', message]
    : ['bytes', Buffer.from(message).toString('hex')]
}

/** What a receiver tells of such chunks, in order. */
async function toldOf(chunks: readonly Uint8Array[], isServed: boolean, isRead: boolean) {
  const told: unknown[][] = []
  const receiver = new Receiver({ isServer: isServed, maxPayload: MAX_PAYLOAD })
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    told.push(isBinary ? ['bytes', data.toString('hex')] : ['text', data.toString()]),
  )
  for (const event of ['ping', 'pong']) {
    receiver.on(event, (data: Buffer) => told.push([event, data.toString('hex')]))
  }
  receiver.on('conclude', (code: number, reason: Buffer) =>
    told.push(['conclude', code, String(reason)]),
  )
  receiver.on('error', ({ code }: NodeJS.ErrnoException) => told.push(['error', code]))
  if (isRead) {
    readMessagesOf(receiver, { frame: (message) => told.push(toldAs(message)) }, isServed)
  }
  for (const chunk of chunks) {
    // It is written over where it is.
    receiver.write(Buffer.from(chunk))
    await setImmediate()
  }
  return told
}

test.each([
  ['a server', true],
  ['a client', false],
])(
  '%s hears what it heard of ws, in the same order, however the bytes come',
  async (_, isServed) => {
    await fc.assert(
      fc.asyncProperty(frames(isServed), async (some) => {
        const chunks = chunksOf(some)
        expect(await toldOf(chunks, isServed, true)).toStrictEqual(
          await toldOf(chunks, isServed, false),
        )
      }),
      { numRuns: 1_000 },
    )
  },
)

test('small calls cost both sides no stream of ws, unless fastPath is false', async () => {
  interface Server {
    echo(params: { text: string }): string
  }
  await using endpoint = createEndpoint<Server>({ methods: { echo: ({ text }) => text } })
  await using client = createClient<Server>({ url: (await endpoint.listen()).url })
  await client.other.echo({ text: '' })
  const written = vi.spyOn(Receiver.prototype, '_write')
  for (const text of ['x', 'é', 'x'.repeat(10_000)]) {
    expect(await client.other.echo({ text })).toBe(text)
  }
  expect(written).not.toHaveBeenCalled()
  // What may be no UTF-8 is left to it, on both sides.
  expect(await client.other.echo({ text: '\uFFFD' })).toBe('\uFFFD')
  expect(written).toHaveBeenCalledTimes(2)
  await using plainEndpoint = createEndpoint<Server>({
    methods: { echo: ({ text }) => text },
    fastPath: false,
  })
  await using plainClient = createClient<Server>({
    url: (await plainEndpoint.listen()).url,
    fastPath: false,
  })
  await plainClient.other.echo({ text: '' })
  written.mockClear()
  expect(await plainClient.other.echo({ text: 'x' })).toBe('x')
  expect(written).toHaveBeenCalledTimes(2)
  written.mockRestore()
})
