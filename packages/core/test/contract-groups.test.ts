import {
  createClient,
  defineContract,
  method,
  notification,
  type RpcConfigError,
  RpcError,
  stream,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { pairOf, plainPairOf } from './support/pair.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import * as moduleOfMethods from './support/users-contract.js'

/** Contracts with groups of methods, to any depth. */

const User = z.object({ id: z.string(), name: z.string() })
const Id = z.object({ id: z.string() })

const contract = defineContract({
  server: {
    users: {
      get: method({ params: Id, result: User }),
      watch: stream({ params: Id, item: User }),
      admin: {
        remove: method({ params: Id, result: z.boolean() }),
        log: notification({ params: Id }),
      },
    },
    ping: method({ result: z.string() }),
  },
  client: {
    page: {
      ask: method({ params: z.object({ text: z.string() }), result: z.string() }),
      toast: notification({ params: z.object({ text: z.string() }) }),
    },
  },
})

const logged: string[] = []
const opened: (() => unknown)[] = []

afterEach(async () => {
  logged.length = 0
  for (const close of opened.splice(0).reverse()) await close()
})

const get = ({ id }: { id: string }) => ({ id, name: `name of ${id}` })

const users = {
  get,
  watch: async function* ({ id }: { id: string }) {
    yield get({ id })
  },
  admin: {
    remove: ({ id }: { id: string }) => id !== 'nobody',
    log: ({ id }: { id: string }) => void logged.push(id),
  },
}
const methods = { users, ping: () => 'pong' }

function wrong(make: () => unknown): RpcConfigError {
  try {
    make()
  } catch (error) {
    return error as RpcConfigError
  }
  throw new Error('It did not throw')
}

/** An object with one member of a name that can't be written in every literal. */
function named(name: string, value: object): object {
  return Object.defineProperty({}, name, { value, enumerable: true })
}

describe('the contract', () => {
  test('keeps its groups, frozen', () => {
    expect(contract.server.users.admin.remove.kind).toBe('method')
    for (const part of [contract.server, contract.server.users, contract.server.users.admin]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  test('may have a module as a group, and a method named kind', async () => {
    const { client } = pairOf(
      defineContract({ server: { users: moduleOfMethods, kind: { kind: method() } } }),
      { server: { methods: { users: { get }, kind: { kind: () => 'kind' } } } },
    )
    expect(moduleOfMethods.get.kind).toBe('method')
    expect(await client.other.users.get({ id: '1' })).toEqual(get({ id: '1' }))
    expect(await client.other.kind.kind()).toBe('kind')
  })

  const definition = method()
  test.each<[string, object, string, RegExp]>([
    ['a dotted name beside its group', { a: { b: definition }, 'a.b': definition }, 'a.b', /a dot/],
    ['a dotted name into a group', { a: { b: definition }, 'a.c.d': definition }, 'a.c.d', /a dot/],
    ['a dot in a group', { a: { 'b.c': definition } }, 'a.b.c', /has a dot in its name/],
    ['a group with a dot', { 'a.b': { c: definition } }, 'a.b', /Dots separate groups/],
    ['then in a group', { a: named('then', definition) }, 'a.then', /of any value that is awaited/],
    [
      'a group named then',
      named('then', { a: definition }),
      'then',
      /of any value that is awaited/,
    ],
    [
      'constructor',
      { a: named('constructor', definition) },
      'a.constructor',
      /every JavaScript object/,
    ],
    [
      'a group constructor',
      named('constructor', { a: definition }),
      'constructor',
      /every JavaScript/,
    ],
    ['__proto__', { a: named('__proto__', definition) }, 'a.__proto__', /begin with "_"/],
    ['a group __proto__', named('__proto__', { a: definition }), '__proto__', /begin with "_"/],
    [
      'a group as the prototype',
      { a: { __proto__: { b: definition } } },
      'a',
      /is not a definition/,
    ],
    ['a private name', { a: { _b: definition } }, 'a._b', /are private/],
    ['an empty name', { a: { '': definition } }, 'a.', /it is empty/],
    ['a group named rpc', { rpc: { hello: definition } }, 'rpc.hello', /belong to the protocol/],
    ['an empty group', { a: { b: {} } }, 'a.b', /is not a definition/],
    [
      'a forgotten method()',
      { a: { b: { params: Id } } },
      'a.b',
      /is not a definition. Write method/,
    ],
    ['an instance of a class', { a: { b: new Date() } }, 'a.b', /is not a definition/],
    ['a list', { a: [definition] }, 'a', /is not a definition/],
    ['another kind', { a: { kind: 'router', b: definition } }, 'a', /is not a definition/],
    [
      'a wrong schema',
      { a: { b: { ...definition, params: 5 } } },
      'a.b',
      /params of "a.b".*schema/,
    ],
  ])('is refused with %s', (_, server, path, message) => {
    const error = wrong(() => defineContract({ server: server as never }))
    expect(error).toMatchObject({ name: 'RpcConfigError', method: path })
    expect(error.message).toContain(`"${path}"`)
    expect(error.message).toMatch(message)
  })

  test('may have names with dots and groups, if they have nothing in common', async () => {
    const { client } = pairOf(
      defineContract({ server: { 'a.b': method(), c: { d: method() }, a: method() } }),
      { server: { methods: { 'a.b': () => 1, c: { d: () => 2 }, a: () => 3 } } },
    )
    const { other } = client
    expect([await other['a.b'](), await other.c.d(), await other.a()]).toEqual([1, 2, 3])
  })
})

describe('handlers', () => {
  test('may be given in groups, or by their paths, or later', async () => {
    const server = { methods: { 'users.get': get, ping: () => 'pong' } as never }
    const pair = pairOf(contract, { server })
    expect(await pair.client.other.users.get({ id: '1' })).toEqual(get({ id: '1' }))
    const missing = await rejection(pair.client.other.users.admin.remove({ id: '1' }))
    expect(missing).toMatchObject({ code: -32601, method: 'users.admin.remove' })
    expect(String(missing)).toContain('users.admin.remove')
    const hide = pair.server.expose('users.admin.remove', () => true)
    expect(await pair.client.other.users.admin.remove({ id: '1' })).toBe(true)
    hide()
    expect(await rejection(pair.client.call('users.admin.remove', { id: '1' }))).toBeInstanceOf(
      RpcError,
    )
  })

  test.each<[string, object, string, RegExp]>([
    ['two of one name', { users: { get }, 'users.get': get }, 'users.get', /has two handlers/],
    ['an unknown one', { users: { got: get } }, 'users.got', /Did you mean "users.get"/],
    ['a function for a group', { users: () => 1 }, 'users', /can't be exposed/],
    ['an object for a method', { ping: { get } }, 'ping', /must be a function/],
    ['an instance', { users: new (class Users {})() }, 'users', /an object literal of functions/],
    ['no function', { users: { get: 5 } }, 'users.get', /must be a function. It is a number/],
  ])('are refused: %s', (_, given, path, message) => {
    const error = wrong(() => pairOf(contract, { server: { methods: given as never } }))
    expect(error).toMatchObject({ name: 'RpcConfigError', method: path })
    expect(error.message).toMatch(message)
  })
})

describe('calls', () => {
  test('have the path as their name on the wire', async () => {
    const endpoint = createEndpoint(contract, { methods })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const peer = await rawClient(url)
    opened.push(() => peer.socket.close())
    peer.send({ jsonrpc: '2.0', id: 1, method: 'users.admin.remove', params: { id: '1' } })
    expect(await peer.nextJson()).toEqual({ jsonrpc: '2.0', id: 1, result: true })
    peer.send({ jsonrpc: '2.0', id: 2, method: 'users', params: { id: '1' } })
    expect(await peer.nextJson()).toMatchObject({ id: 2, error: { code: -32601 } })
    peer.send({ jsonrpc: '2.0', id: 3, method: 'users.admin', params: { id: '1' } })
    expect(await peer.nextJson()).toMatchObject({ id: 3, error: { code: -32601 } })
  })

  test('of an unknown name say which path was probably meant', async () => {
    const { client } = pairOf(contract)
    const error = await rejection(
      client.call('users.admin.removed' as 'users.admin.remove', { id: '1' }),
    )
    expect(error).toMatchObject({ name: 'RpcConfigError', method: 'users.admin.removed' })
    expect(String(error)).toContain('Did you mean "users.admin.remove"?')
  })

  test('name the whole path in their errors', async () => {
    const { client } = pairOf(contract, {
      server: {
        methods: {
          users: { get: () => ({}) as never, watch: users.watch, admin: users.admin },
          ping: () => 'pong',
        },
      },
    })
    const result = await rejection(client.other.users.get({ id: '1' }))
    expect(result).toMatchObject({ name: 'RpcValidationError', method: 'users.get' })
    const aborted = client.other.users.get({ id: '1' }, { signal: AbortSignal.abort() })
    expect(String(await rejection(aborted))).toContain('users.get')
  })

  test('of a group are the same functions each time, frozen, and named by their paths', () => {
    const { other } = pairOf(contract).client
    expect(other.users.admin).toBe(other.users.admin)
    expect(other.users.admin.remove.name).toBe('users.admin.remove')
    expect(Object.isFrozen(other.users)).toBe(true)
    expect((other.users as { then?: unknown }).then).toBeUndefined()
  })

  test('go to groups of channels, all at once and one by one', async () => {
    const endpoint = createEndpoint(contract, { methods })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const heard: string[] = []
    for (const name of ['a', 'b']) {
      const client = createClient(contract, {
        url,
        methods: {
          page: {
            ask: ({ text }) => `${name}: ${text}`,
            toast: ({ text }) => void heard.push(`${name}: ${text}`),
          },
        },
      })
      opened.push(() => client.close())
      await client.other.ping()
    }
    for (const channel of endpoint.channels) channel.join('room')
    const room = endpoint.group('room')
    const values = (await room.call('page.ask', { text: 'hi' })).map(
      (one) => one.status === 'ok' && one.value,
    )
    expect(values.sort()).toEqual(['a: hi', 'b: hi'])
    const each: unknown[] = []
    for await (const one of room.each('page.ask', { text: 'ho' })) {
      each.push(one.status === 'ok' && one.value)
    }
    expect(each.sort()).toEqual(['a: ho', 'b: ho'])
    expect(await room.notify('page.toast', { text: 'hello' })).toBe(2)
    await expect.poll(() => heard.sort()).toEqual(['a: hello', 'b: hello'])
    expect([...endpoint.channels].map((channel) => channel.has('page.ask'))).toEqual([true, true])
  })

  test('pass authorize and discovery by their paths', async () => {
    const asked: string[] = []
    const endpoint = createEndpoint(contract, {
      methods,
      discover: true,
      authorize: (name) => {
        asked.push(name)
        return !name.startsWith('users.admin.')
      },
    })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const peer = await rawClient(url)
    opened.push(() => peer.socket.close())
    peer.send({ jsonrpc: '2.0', id: 1, method: 'users.admin.remove', params: { id: '1' } })
    expect(await peer.nextJson()).toMatchObject({ error: { code: -32002 } })
    expect(asked).toEqual(['users.admin.remove'])
    peer.send({ jsonrpc: '2.0', id: 2, method: 'rpc.discover' })
    const { result } = (await peer.nextJson()) as { result: { methods: { name: string }[] } }
    expect(result.methods.map(({ name }) => name).sort()).toEqual([
      'ping',
      'users.get',
      'users.watch',
    ])
  })
})

describe('without a contract', () => {
  interface Server {
    add(params: { a: number }): number
    users: {
      get(params: { id: string }): { id: string }
      admin: { remove(params: { id: string }): boolean }
      watch(params: { id: string }): AsyncIterable<string>
    }
  }

  const plain = {
    add: ({ a }: { a: number }) => a + 1,
    users: {
      get: ({ id }: { id: string }) => ({ id }),
      admin: { remove: ({ id }: { id: string }) => id === '1' },
      watch: async function* ({ id }: { id: string }) {
        yield id
      },
    },
  }

  test('handlers and calls may be in groups, too', async () => {
    const { client } = plainPairOf<Server>({ server: { methods: plain } })
    expect(await client.other.add({ a: 1 })).toBe(2)
    expect(await client.other.users.get({ id: '1' })).toEqual({ id: '1' })
    expect(await client.other.users.admin.remove({ id: '1' })).toBe(true)
    const items: string[] = []
    for await (const item of client.stream('users.watch', { id: 'x' })) items.push(item)
    expect(items).toEqual(['x'])
    expect(client.other.users.admin.remove).toBe(client.other.users.admin.remove)
    expect(client.other.users.admin.remove.name).toBe('users.admin.remove')
    expect(await Promise.resolve(client.other.users)).toBe(client.other.users)
    expect(
      await rejection((client.other as never as { users(): Promise<unknown> }).users()),
    ).toMatchObject({
      code: -32601,
      method: 'users',
    })
  })
})
