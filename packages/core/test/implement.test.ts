import { createServer } from 'node:http'
import { createClient, defineContract, method } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { rejection } from './support/rejection.js'

/** Handlers that an endpoint is given after it was made. */

const contract = defineContract({
  server: {
    users: { get: method({ result: z.string() }), admin: { remove: method() } },
    online: method({ result: z.number() }),
  },
  client: { ask: method({ result: z.string() }) },
})

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function create() {
  const endpoint = createEndpoint(contract, { authenticate: () => ({ user: 'ann' }) })
  opened.push(() => endpoint.close())
  return endpoint
}

async function connect(endpoint: ReturnType<typeof create>) {
  const { url } = await endpoint.listen()
  const client = createClient(contract, { url, methods: { ask: () => 'me' } })
  opened.push(() => client.close())
  return client
}

const incomplete =
  /The endpoint has no handler for users\.get, users\.admin\.remove, online\. Give it the option methods, or call its implement/

describe('implement', () => {
  test('gives all handlers, which may use the endpoint', async () => {
    const endpoint = create()
    endpoint.implement({
      users: {
        get: async (_, { identity }) => {
          const [first] = await endpoint.all.call('ask')
          return `${identity.user}: ${first?.status === 'ok' && first.value}`
        },
        admin: { remove: () => true },
      },
      online: () => endpoint.channels.size,
    })
    const { other } = await connect(endpoint)
    expect(await other.users.get()).toBe('ann: me')
    expect(await other.online()).toBe(1)
  })

  test('gives the handlers of one group, or of one method, after each other', async () => {
    const endpoint = create()
    endpoint.implement('online', () => endpoint.channels.size)
    endpoint.implement('users.admin', { remove: () => 'removed' })
    expect(await rejection(endpoint.listen())).toMatchObject({
      name: 'RpcConfigError',
      message: expect.stringContaining('no handler for users.get.'),
    })
    endpoint.implement('users.get', () => 'ann')
    const { other } = await connect(endpoint)
    const answers = [other.online(), other.users.admin.remove(), other.users.get()]
    expect(await Promise.all(answers)).toEqual([1, 'removed', 'ann'])
  })

  test('takes handlers by their paths', async () => {
    const endpoint = create()
    endpoint.implement({
      'users.get': () => 'ann',
      'users.admin.remove': () => 'removed',
      online: () => 0,
    })
    const { other } = await connect(endpoint)
    expect(await other.users.admin.remove()).toBe('removed')
  })

  test('must come before the endpoint serves', async () => {
    const endpoint = create()
    expect(await rejection(endpoint.listen())).toMatchObject({
      name: 'RpcConfigError',
      message: expect.stringMatching(incomplete),
    })
    expect(() => endpoint.attach(createServer())).toThrow(incomplete)
    endpoint.implement('users', { get: () => 'ann', admin: { remove: () => 1 } })
    endpoint.implement('online', () => 0)
    await endpoint.listen()
    expect(() => endpoint.implement('online', () => 0)).toThrow(/serves already: call implement/)
  })

  test('adds nothing if one of its handlers is wrong', () => {
    const endpoint = create()
    const get = () => 'ann'
    const wrong: [unknown[], RegExp][] = [
      [[{ users: { get, admin: { remove: 5 } } }], /"users.admin.remove" must be a function/],
      [['users', { get, got: get }], /"users.got" can't be exposed.*Did you mean "users.get"/],
      [['users.got', get], /"users.got" can't be exposed/],
      [[], /needs an object of functions, or a path/],
      [[undefined], /needs an object of functions, or a path/],
    ]
    for (const [args, message] of wrong) {
      expect(() => (endpoint.implement as (...args: unknown[]) => void)(...args)).toThrow(message)
    }
    endpoint.implement('users.get', get)
    expect(() => endpoint.implement('users.get', get)).toThrow(/"users.get" has two handlers/)
  })

  test('is needed without a contract, too, and not beside a fallback', async () => {
    const plain = createEndpoint<{ add(): number }>({})
    opened.push(() => plain.close())
    expect(await rejection(plain.listen())).toMatchObject({
      message: expect.stringContaining('methods is missing'),
    })
    plain.implement({ add: () => 1 })
    const { url } = await plain.listen()
    const client = createClient<{ add(): number }>({ url })
    opened.push(() => client.close())
    expect(await client.other.add()).toBe(1)
    const any = createEndpoint(contract, { fallback: () => 'any' })
    opened.push(() => any.close())
    await any.listen()
  })
})
