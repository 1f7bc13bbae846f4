import {
  createChannel,
  createClient,
  messagePortTransport,
  RpcValidationError,
  type Transport,
  type WebSocketLike,
  webSocketTransport,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Control } from '../../../scripts/test-server/control.js'
import { codecCases, someBytes } from './support/codec-cases.js'
import {
  createEchoMethods,
  type EchoChannel,
  type EchoClient,
  type EchoServer,
  echoOptions,
  formats,
} from './support/echo.js'
import { rejection } from './support/rejection.js'

const control = createClient<Control>({ url: inject('controlUrl') })
const opened: EchoChannel[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((channel) => channel.close()))
})

afterAll(() => control.close())

function channelOver(transport: Transport, format: string): EchoChannel {
  const channel = createChannel<EchoClient, EchoServer>({
    side: 'client',
    transport,
    methods: { echo: ({ value }) => value },
    ...echoOptions(format),
  })
  opened.push(channel)
  return channel
}

async function overPort(format: string): Promise<EchoChannel> {
  const { port1, port2 } = new MessageChannel()
  createChannel<EchoServer, EchoClient>({
    side: 'server',
    transport: messagePortTransport(port2),
    methods: createEchoMethods(),
    ...echoOptions(format),
  })
  return channelOver(messagePortTransport(port1), format)
}

describe.each(Object.keys(formats))('in a page, %s', (format) => {
  let port: number
  let url: string

  beforeAll(async () => {
    ;({ port, url } = await control.other.startEcho({ format }))
  })

  afterAll(() => control.other.stop({ port }))

  async function overSocket(): Promise<EchoChannel> {
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    return channelOver(webSocketTransport(socket as WebSocketLike), format)
  }

  describe.each([
    ['a WebSocket to another process', overSocket],
    ['a port', () => overPort(format)],
  ])('over %s', (_, open) => {
    test.each(codecCases)('carries $name both ways, or refuses it', async (row) => {
      const { other } = await open()
      const fate = formats[format]?.codec === msgpackCodec ? row.msgpack : row.json
      if (typeof fate === 'object' && 'refused' in fate) {
        const thrown = await rejection(other.echo({ value: row.value() }))
        expect(thrown).toBeInstanceOf(RpcValidationError)
        expect((thrown as Error).message).toMatch(fate.refused)
        return
      }
      const expected = fate === 'same' ? row.value() : fate.as
      expect(await other.echo({ value: row.value() })).toStrictEqual(expected)
      expect(await other.echoBack({ value: row.value() })).toStrictEqual(expected)
    })

    test('carries mebibytes, beside calls that have none', async () => {
      const { other } = await open()
      const value = someBytes(2 * 1024 * 1024 + 1)
      const answers = await Promise.all([
        other.echo({ value }),
        other.echo({ value: 1 }),
        other.echoBack({ value: [value] }),
        other.echo({ value: 2 }),
      ])
      expect([answers[1], answers[3]]).toStrictEqual([1, 2])
      for (const bytes of [answers[0], (answers[2] as unknown[])[0]] as Uint8Array[]) {
        expect(bytes).toBeInstanceOf(Uint8Array)
        expect(bytes.length).toBe(value.length)
        expect(bytes.every((byte, index) => byte === value[index])).toBe(true)
      }
    })
  })
})

test('a page whose codec is not the server’s stops, and says why', async () => {
  const { port, url } = await control.other.startEcho({ format: 'JSON in text frames' })
  await using client = createClient<EchoServer>({ url, codec: msgpackCodec })
  const thrown = await rejection(client.other.echo({ value: 1 }))
  expect(thrown).toMatchObject({ outcome: 'not-sent', closeCode: 4400 })
  expect(client.state.status).toBe('failed')
  expect(client.state.lastError?.message).toContain(
    'Codec mismatch: client "msgpack", server "json". Give both the same codec',
  )
  await control.other.stop({ port })
})
