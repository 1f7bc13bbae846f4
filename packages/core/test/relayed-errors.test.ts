import { createClient, RpcDisconnectedError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
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
