import { get } from 'node:http'
import * as core from '@flashrpc/core'
import * as server from '@flashrpc/core/server'
import { expect, test, vi } from 'vitest'

const one = { ...core, ...server }
vi.resetModules()
const other: typeof one = {
  ...(await import('@flashrpc/core')),
  ...(await import('@flashrpc/core/server')),
}

const make = {
  RpcError: ({ RpcError }: typeof one) => new RpcError(4004, 'text'),
  RpcTimeoutError: ({ RpcTimeoutError }: typeof one) => new RpcTimeoutError('text', 'not-sent'),
  RpcAbortedError: ({ RpcAbortedError }: typeof one) => new RpcAbortedError('text', 'not-sent'),
  RpcDisconnectedError: ({ RpcDisconnectedError }: typeof one) =>
    new RpcDisconnectedError('text', 'not-sent'),
  RpcProxyError: ({ RpcProxyError }: typeof one) => new RpcProxyError('text', 'http://proxy'),
  RpcOverloadedError: ({ RpcOverloadedError }: typeof one) => new RpcOverloadedError('text'),
  RpcUncertainError: ({ RpcUncertainError }: typeof one) => new RpcUncertainError('text'),
  RpcProtocolError: ({ RpcProtocolError }: typeof one) => new RpcProtocolError('text'),
  RpcValidationError: ({ RpcValidationError }: typeof one) =>
    new RpcValidationError('text', [], 'not-sent'),
  RpcConfigError: ({ RpcConfigError }: typeof one) => new RpcConfigError('text'),
  RejectUpgrade: ({ RejectUpgrade }: typeof one) => new RejectUpgrade(401, 'text'),
  RpcListenError: ({ RpcListenError }: typeof one) => new RpcListenError('text', {}),
}

type Name = keyof typeof make
const names = Object.keys(make) as Name[]

test('there are two copies', () => {
  expect(one.RpcError).not.toBe(other.RpcError)
})

test.each(names)('a %s of one copy is an instance of the class of the other', (name) => {
  const error = make[name](other)
  const kinds = names.filter((kind) => error instanceof Reflect.get(one, kind))
  const extended = name === 'RpcProxyError' ? ['RpcDisconnectedError'] : []
  expect(kinds.sort()).toEqual([...new Set(['RpcError', ...extended, name])].sort())
  expect(error.name).toBe(name)
})

test('a class of the application is one of its own', () => {
  class Own extends one.RpcError {}
  class OwnTimeout extends one.RpcTimeoutError {}
  expect(new other.RpcError(1, '')).not.toBeInstanceOf(Own)
  expect(new one.RpcError(1, '')).not.toBeInstanceOf(Own)
  expect(new one.RpcTimeoutError('', 'not-sent')).not.toBeInstanceOf(OwnTimeout)
  expect(new Own(1, '')).toBeInstanceOf(Own)
  expect(new Own(1, '')).toBeInstanceOf(other.RpcError)
  expect(new OwnTimeout('', 'not-sent')).toBeInstanceOf(other.RpcTimeoutError)
  expect(new OwnTimeout('', 'not-sent')).not.toBeInstanceOf(other.RpcAbortedError)
  expect(new Own(1, '').name).toBe('Own')
})

test('nothing else is one', () => {
  for (const value of [new Error('text'), {}, null, undefined, 'text', 5, () => {}]) {
    expect(value instanceof one.RpcError).toBe(false)
  }
})

test('what a handler throws of another copy is told to the caller as it is', async () => {
  const [here, there] = one.memoryTransportPair()
  type Server = { find(): void }
  await using _server = one.createChannel<Server, Record<never, never>>({
    side: 'server',
    transport: here,
    methods: {
      find() {
        throw new other.RpcError(4004, 'No such report', { id: 7 })
      },
    },
  })
  await using client = one.createChannel<Record<never, never>, Server>({
    side: 'client',
    transport: there,
  })
  await expect(client.other.find()).rejects.toMatchObject({
    code: 4004,
    message: 'No such report',
    data: { id: 7 },
  })
})

test('an upgrade is refused as a RejectUpgrade of another copy says', async () => {
  await using endpoint = one.createEndpoint({
    methods: {},
    authenticate() {
      throw new other.RejectUpgrade(429, 'Later', { retryAfterSeconds: 60 })
    },
  })
  const { url } = await endpoint.listen()
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const answer = await new Promise<{ status: number | undefined; retryAfter: string | undefined }>(
    (resolve, reject) => {
      get(url.replace('ws:', 'http:'), { headers, agent: false }, (response) => {
        response.resume()
        resolve({
          status: response.statusCode,
          retryAfter: response.headers['retry-after'],
        })
      }).once('error', reject)
    },
  )
  expect(answer).toEqual({ status: 429, retryAfter: '60' })
})
