import { createClient, ErrorCode, RpcDisconnectedError, RpcError } from '@flashrpc/core'
import { createEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** What a program in between says of a call (docs/protocol.md, "Error codes"), and what its caller makes of it. */
test.each<[number, { ran?: unknown } | undefined, string, string | undefined]>([
  [-32000, { ran: null }, 'RpcDisconnectedError', 'maybe-executed'],
  [-32000, { ran: false }, 'RpcDisconnectedError', 'not-received'],
  [-32001, { ran: null }, 'RpcTimeoutError', 'maybe-executed'],
  [-32001, { ran: false }, 'RpcTimeoutError', 'not-received'],
  [-32003, { ran: null }, 'RpcOverloadedError', 'maybe-executed'],
  [-32003, { ran: false }, 'RpcOverloadedError', 'not-received'],
  [-32800, { ran: null }, 'RpcAbortedError', 'maybe-executed'],
  [-32800, { ran: false }, 'RpcAbortedError', 'not-received'],
  [-32005, { ran: null }, 'RpcUncertainError', 'maybe-executed'],
  [4004, { ran: null }, 'RpcError', undefined],
  [-32000, undefined, 'RpcError', undefined],
  [-32000, { ran: true }, 'RpcError', undefined],
  [-32000, { ran: 0 }, 'RpcError', undefined],
  [-32000, {}, 'RpcError', undefined],
])('an error %i beside rpc: %j', async (code, rpc, name, outcome) => {
  await using server = await RawServer.listen()
  await using client = createClient<{ wait(): void }>({ url: server.url })
  const peer = await server.acceptExtended()
  const call = rejection(client.other.wait())
  const { id } = await peer.nextJson()
  peer.send({ jsonrpc: '2.0', id, error: { code, message: 'Told' }, ...(rpc && { rpc }) })
  const thrown = await call
  expect(thrown).toMatchObject({ name, code, message: 'Told', method: 'wait' })
  expect((thrown as { outcome?: string }).outcome).toBe(outcome)
})

/** All codes that this library uses. */
const reserved = Object.values(ErrorCode)

describe('a number that means something here is the own of whoever uses it for something else', () => {
  const data = { retry: 9 }

  test.each(reserved)('%i of a plain JSON-RPC peer', async (code) => {
    await using server = await RawServer.listen()
    await using client = createClient<{ query(): void }>({ url: server.url })
    const peer = await server.acceptPlain()
    const call = rejection(client.other.query())
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id, error: { code, message: 'limit exceeded', data } })
    const error = (await call) as RpcError
    expect(error).toMatchObject({ name: 'RpcError', code, message: 'limit exceeded', data })
    expect(error).not.toHaveProperty('outcome')
  })

  test.each(reserved)(
    '%i of a plain JSON-RPC peer that answers the hello with it',
    async (code) => {
      await using server = await RawServer.listen()
      await using client = createClient<{ query(): number }>({ url: server.url })
      const peer = await server.accept()
      const hello = await peer.nextJson()
      peer.send({ jsonrpc: '2.0', id: hello.id, error: { code, message: 'limit exceeded', data } })
      const call = client.other.query()
      const { id } = await peer.nextJson()
      peer.send({ jsonrpc: '2.0', id, result: 7 })
      expect(await call).toBe(7)
    },
  )

  test.each(reserved)('%i of a handler, in both directions', async (code) => {
    const fail = () => {
      throw new RpcError(code, 'limit exceeded', data)
    }
    await using endpoint = createEndpoint<Both, Both>({
      idempotency: { store: memoryResultStore() },
      methods: { fail, back: (_, { channel }) => channel.other.fail() },
    })
    const { url } = await endpoint.listen()
    await using client = createClient<Both, Both>({ url, methods: { fail, back: () => {} } })
    const same = { name: 'RpcError', code, message: 'limit exceeded', data }
    for (const call of [
      client.other.fail(),
      client.other.fail(undefined, { idempotencyKey: `key${code}` }),
      client.other.fail(undefined, { idempotencyKey: `key${code}` }),
      client.other.back(),
    ]) {
      const error = await rejection(call)
      expect(error).toMatchObject(same)
      expect(error).not.toHaveProperty('outcome')
    }
  })
})

interface Both {
  fail(): void
  back(): void
}

test('an answer that is too large is known as that, and to have run', async () => {
  await using endpoint = createEndpoint<{ give(): string; items(): AsyncIterable<string> }>({
    methods: {
      give: () => 'x'.repeat(2_000),
      async *items() {
        yield 'x'.repeat(2_000)
      },
    },
  })
  const { url } = await endpoint.listen()
  await using client = createClient<{ give(): string; items(): AsyncIterable<string> }>({
    url,
    limits: { message: 1_000 },
  })
  const overloaded = { name: 'RpcOverloadedError', code: -32003, outcome: 'maybe-executed' }
  expect(await rejection(client.other.give())).toMatchObject(overloaded)
  expect(await rejection(client.stream('items').next())).toMatchObject(overloaded)
})

test('no handler can say it: an error of another call is an error of the handler', async () => {
  await using endpoint = createEndpoint<{ fail(): void }>({
    methods: {
      fail: () => {
        throw new RpcDisconnectedError('Another server is away', 'not-sent')
      },
    },
  })
  const { url } = await endpoint.listen()
  await using peer = await rawClient(url)
  peer.send({ jsonrpc: '2.0', id: 1, method: 'fail' })
  expect(await peer.nextJson()).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32000, message: 'Another server is away' },
  })
})
