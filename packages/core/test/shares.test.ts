import type { IncomingMessage } from 'node:http'
import { RpcConfigError } from '@flashrpc/core'
import {
  createEndpoint,
  type EndpointOptions,
  memoryResultStore,
  RejectUpgrade,
  type TrustProxy,
} from '@flashrpc/core/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { networkOf } from '../src/server/client-address.js'
import { eventually, polled } from './support/eventually.js'
import { RawPeer } from './support/raw-peer.js'

/** What all clients share: one owner can't have so much of it that others have none. */

interface Methods {
  echo(params: { text: string }): string
}
interface Page {
  told(params: { text: string }): void
}
type Options = EndpointOptions<Methods, Page, unknown>
type Headers = Record<string, string>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Clients are believed who they are: the sharing is what is tested. */
const authenticate = ({ headers }: IncomingMessage): unknown =>
  headers['x-user'] === undefined ? undefined : { name: headers['x-user'] }

async function serve(options: Partial<Options> = {}) {
  const lines: string[] = []
  const line = (text: string) => lines.push(text)
  const endpoint = createEndpoint<Methods, Page, unknown>({
    methods: { echo: ({ text }) => text },
    logger: { debug: () => {}, warn: line, error: line },
    ...options,
  })
  opened.push(() => endpoint.close())
  return { endpoint, lines, ...(await endpoint.listen()) }
}

/** Asks for a connection. @returns the HTTP status and, if there is one, the peer. */
async function ask(url: string, headers: Headers = {}) {
  const socket = new WebSocket(url, { headers })
  const peer = new RawPeer(socket)
  opened.push(() => peer[Symbol.asyncDispose]())
  const status = await new Promise<number | undefined>((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_, response) => {
      response.resume()
      resolve(response.statusCode)
    })
    socket.on('error', () => resolve(undefined))
  })
  return { status, peer, socket }
}

const statusOf = async (url: string, headers: Headers = {}) => (await ask(url, headers)).status

let attempts = 0

/** Asks for a connection with a session: an earlier one, or a new one. */
async function join(url: string, headers: Headers = {}, resume?: { sid: string; token: string }) {
  const { peer } = await ask(url, headers)
  peer.send({
    jsonrpc: '2.0',
    id: 'rpc:1',
    method: 'rpc.hello',
    params: {
      v: 1,
      attempt: ++attempts,
      codec: 'json',
      limits: { msg: 100_000, buf: 100_000 },
      ...(resume && { resume: { ...resume, recv: 0 } }),
    },
  })
  const { result } = await peer.nextJson()
  return { peer, result, sid: result.sid as string, token: result.token as string }
}

/** Cuts the connection, and waits until the server has noticed. */
async function drop(endpoint: { channels: ReadonlySet<unknown> }, peer: RawPeer): Promise<void> {
  const away = () =>
    [...(endpoint.channels as ReadonlySet<{ isConnected: boolean }>)].filter(
      ({ isConnected }) => isConnected,
    ).length
  const before = away()
  peer.socket.terminate()
  await polled(away).toBe(before - 1)
}

const user = (name: string, address?: string): Headers => ({
  'x-user': name,
  ...(address !== undefined && { 'x-forwarded-for': address }),
})
const from = (address: string): Headers => ({ 'x-forwarded-for': address })

describe('the address of a client', () => {
  const limits = { connectionsPerAddress: 1 }

  test.each<[string, TrustProxy, string, string]>([
    ['true', true, '192.0.2.1', '192.0.2.2'],
    ['a number of hops', 1, '192.0.2.9, 192.0.2.1', '192.0.2.9, 192.0.2.2'],
    ['more hops', 2, '192.0.2.1, 192.0.2.9', '192.0.2.2, 192.0.2.9'],
    ['a name', 'loopback', '192.0.2.9, 192.0.2.1, 127.0.0.2', '192.0.2.2'],
    ['an address', '127.0.0.1', '192.0.2.9, 192.0.2.1', '192.0.2.9, 192.0.2.2'],
    ['names in a text', 'loopback, 10.0.0.0/8', '192.0.2.1, 10.1.2.3', '192.0.2.2, 10.1.2.3'],
    ['a list of subnets', ['127.0.0.0/8', '10.0.0.0/8'], '192.0.2.1, 10.1.2.3', '192.0.2.2'],
    ['a function', (address) => address === '127.0.0.1', '192.0.2.1', '192.0.2.2'],
    ['true, with a port', true, '192.0.2.1:4711', '192.0.2.2:4711'],
    ['true, with IPv6', true, '2001:db8::1', '2001:db8:0:1::1'],
    ['true, with IPv6 and a port', true, '[2001:db8::1]:4711', '[2001:db8:0:1::1]:4711'],
  ])('is the forwarded one where trustProxy is %s', async (_, trustProxy, one, other) => {
    const { url, lines } = await serve({ limits, trustProxy })
    expect(await statusOf(url, from(one))).toBe(101)
    expect(await statusOf(url, from(one))).toBe(429)
    expect(await statusOf(url, from(other))).toBe(101)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/refused a connection from (192\.0\.2\.1|2001:db8::1): 429/)
  })

  test.each<[string, Partial<Options>]>([
    ['is left out', {}],
    ['is false', { trustProxy: false }],
  ])(
    'is that of the socket where trustProxy %s, and this machine’s own is not counted',
    async (_, options) => {
      const { url } = await serve({ limits, ...options })
      for (let n = 0; n < 3; n++) expect(await statusOf(url, from('192.0.2.1'))).toBe(101)
    },
  )

  test('is counted where it is this machine’s own and proxies are trusted', async () => {
    const { url } = await serve({ limits, trustProxy: 'loopback' })
    expect(await statusOf(url)).toBe(101)
    expect(await statusOf(url)).toBe(429)
    expect(await statusOf(url, from('192.0.2.1'))).toBe(101)
  })

  test('is that of a proxy which says nothing that is one', async () => {
    const { url } = await serve({ limits, trustProxy: true })
    expect(await statusOf(url, from('unknown'))).toBe(101)
    expect(await statusOf(url, from('_hidden, x'))).toBe(429)
    expect(await statusOf(url, from('unknown, 192.0.2.1'))).toBe(101)
  })

  test.each<[string, string]>([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:db8::5:6', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ])('%s is one of %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test.each([-1, 1.5, Number.NaN, 'nowhere', ['10.0.0.0/99'], {}, null])(
    'can’t be found out by %j',
    (trustProxy) => {
      const create = () => createEndpoint({ methods: {}, trustProxy } as never)
      expect(create).toThrow(RpcConfigError)
      expect(create).toThrow('trustProxy')
    },
  )
})

describe('connections', () => {
  test('of one identity are a quarter of all at the most, by whatever addresses it comes', async () => {
    const { url } = await serve({ limits: { connections: 8 }, authenticate, trustProxy: true })
    expect(await statusOf(url, user('Ada', '192.0.2.1'))).toBe(101)
    const second = await ask(url, user('Ada', '192.0.2.2'))
    expect(second.status).toBe(101)
    expect(await statusOf(url, user('Ada', '192.0.2.3'))).toBe(429)
    // Others are not affected, not even those behind the same address.
    expect(await statusOf(url, user('Bob', '192.0.2.1'))).toBe(101)
    second.socket.terminate()
    await eventually(async () => expect(await statusOf(url, user('Ada', '192.0.2.3'))).toBe(101))
  })

  test('of whoever is not known are a quarter of all at the most, by address', async () => {
    const { url } = await serve({ limits: { connections: 8 }, trustProxy: true })
    for (const status of [101, 101, 429])
      expect(await statusOf(url, from('192.0.2.1'))).toBe(status)
    expect(await statusOf(url, from('192.0.2.2'))).toBe(101)
  })

  test('of known users behind one address are not counted by it', async () => {
    const limits = { connectionsPerAddress: 1 }
    const { url } = await serve({ limits, authenticate, trustProxy: true })
    for (const name of ['Ada', 'Bob', 'Eve']) {
      expect(await statusOf(url, user(name, '192.0.2.1'))).toBe(101)
    }
    expect(await statusOf(url, from('192.0.2.1'))).toBe(101)
    expect(await statusOf(url, from('192.0.2.1'))).toBe(429)
  })

  test('that close while their identity is being found out are not counted by it', async () => {
    const asked: (() => void)[] = []
    const { url } = await serve({
      limits: { connections: 8 },
      authenticate: async (request) => {
        if (request.headers['x-slow']) await new Promise<void>((resolve) => asked.push(resolve))
        return authenticate(request)
      },
    })
    const leaving = Array.from({ length: 3 }, () => {
      const socket = new WebSocket(url, { headers: { ...user('a'), 'x-slow': '1' } })
      socket.on('error', () => {})
      return socket
    })
    await polled(() => asked.length).toBe(3)
    for (const socket of leaving) socket.terminate()
    for (const answer of asked) answer()
    expect(await statusOf(url, user('a'))).toBe(101)
    expect(await statusOf(url, user('a'))).toBe(101)
    expect(await statusOf(url, user('a'))).toBe(429)
  })

  test('have another share where it is set, and none where it is 1', async () => {
    const half = await serve({ limits: { connections: 8, share: 0.5 }, authenticate })
    for (const status of [101, 101, 101, 101, 429]) {
      expect(await statusOf(half.url, user('Ada'))).toBe(status)
    }
    const whole = await serve({ limits: { connections: 3, share: 1 }, authenticate })
    for (const status of [101, 101, 101, 503]) {
      expect(await statusOf(whole.url, user('Ada'))).toBe(status)
    }
  })

  test('in one second are a quarter of all at the most, by address', async () => {
    const { url } = await serve({ limits: { connectionsPerSecond: 8 }, trustProxy: true })
    const asked = Array.from({ length: 6 }, () => statusOf(url, from('192.0.2.1')))
    const statuses = await Promise.all(asked)
    expect(statuses.filter((status) => status === 101).length).toBeGreaterThanOrEqual(2)
    expect(statuses).toContain(503)
    expect(await statusOf(url, from('192.0.2.2'))).toBe(101)
  })

  test.each([0, -1, 1.1, Number.NaN, '1/4', null])('can’t have a share of %j', (share) => {
    const create = () => createEndpoint({ methods: {}, limits: { share } } as never)
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow('limits.share')
  })
})

describe('an owner', () => {
  test.each<[string, unknown, unknown]>([
    ['a text', 'Ada', 'Bob'],
    ['a number', 1, 2],
    ['an object', { id: 1 }, { id: 2 }],
    ['an object deep within', { user: { id: 1 } }, { user: { id: 2 } }],
  ])('is told from others by its identity: %s', async (_, one, other) => {
    const identities: Record<string, unknown> = { one, other }
    const { url } = await serve({
      limits: { connections: 4 },
      authenticate: ({ headers }) => identities[String(headers['x-user'])],
    })
    expect(await statusOf(url, user('one'))).toBe(101)
    expect(await statusOf(url, user('one'))).toBe(429)
    expect(await statusOf(url, user('other'))).toBe(101)
  })

  class Opaque {
    readonly #name: string
    constructor(name: string) {
      this.#name = name
    }
    get name() {
      return this.#name
    }
  }
  const cycle: { self?: unknown } = {}
  cycle.self = cycle

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['one whose members are private', new Opaque('Ada')],
    ['one that is no JSON', cycle],
    ['a bigint', { id: 1n }],
  ])('is told by its address where its identity says nothing: %s', async (_, identity) => {
    const options = { limits: { connections: 4 }, authenticate: () => identity, trustProxy: true }
    const { url } = await serve(options)
    expect(await statusOf(url, from('192.0.2.1'))).toBe(101)
    expect(await statusOf(url, from('192.0.2.1'))).toBe(429)
    expect(await statusOf(url, from('192.0.2.2'))).toBe(101)
  })

  test('is whom the option says', async () => {
    const owner = (identity: unknown) => (identity as { name: string }).name.split('-')[0]
    const { url } = await serve({ limits: { connections: 4 }, authenticate, owner })
    expect(await statusOf(url, user('Ada-1'))).toBe(101)
    expect(await statusOf(url, user('Ada-2'))).toBe(429)
    expect(await statusOf(url, user('Bob-1'))).toBe(101)
  })

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('No idea')
      },
      'No idea',
    ],
    ['returns what is no text', () => 5, 'It returned number'],
  ])('is told by its address where the option %s, which is logged', async (_, owner, why) => {
    const options = { limits: { connections: 4 }, authenticate, owner: owner as () => string }
    const { url, lines } = await serve({ ...options, trustProxy: true })
    expect(await statusOf(url, user('Ada', '192.0.2.1'))).toBe(101)
    expect(await statusOf(url, user('Ada', '192.0.2.2'))).toBe(101)
    expect(await statusOf(url, user('Bob', '192.0.2.1'))).toBe(429)
    expect(lines.join('\n')).toContain(why)
  })

  test('can’t be told by what is no function', () => {
    const create = () => createEndpoint({ methods: {}, owner: 'name' } as never)
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow('owner')
  })
})

describe('runs of authenticate', () => {
  /** A run that hangs for clients from 192.0.2.1, and ignores its signal. */
  function hanging() {
    const settle: (() => void)[] = []
    const asked = vi.fn(({ headers }: IncomingMessage) =>
      headers['x-forwarded-for'] === '192.0.2.1'
        ? new Promise<void>((resolve) => settle.push(resolve))
        : undefined,
    )
    return { settle, asked }
  }

  test('are a quarter of all at the most by address; one that is given up counts until it ends', async () => {
    const { settle, asked } = hanging()
    const limits = { authentications: 8 }
    const { url } = await serve({ limits, authenticate: asked, trustProxy: true })
    const sockets = [1, 2].map(() => new WebSocket(url, { headers: from('192.0.2.1') }))
    for (const socket of sockets) socket.on('error', () => {})
    await polled(() => settle.length).toBe(2)
    expect(await statusOf(url, from('192.0.2.1'))).toBe(503)
    // When a client leaves, its run goes on.
    const gone = sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve)))
    for (const socket of sockets) socket.terminate()
    await Promise.all(gone)
    for (let n = 0; n < 20; n++) expect(await statusOf(url, from('192.0.2.1'))).toBe(503)
    expect(asked).toHaveBeenCalledTimes(2)
    expect(await statusOf(url, from('192.0.2.2'))).toBe(101)
    settle[0]?.()
    const third = ask(url, from('192.0.2.1'))
    await polled(() => settle.length).toBe(3)
    settle[2]?.()
    expect((await third).status).toBe(101)
    settle[1]?.()
  })

  test('are bounded in all, too, and told when to come back', async () => {
    const limits = { authentications: 1 }
    const { url } = await serve({ limits, authenticate: () => new Promise(() => {}) })
    const socket = new WebSocket(url)
    socket.on('error', () => {})
    await eventually(async () => expect(await statusOf(url)).toBe(503))
    socket.terminate()
  })

  test('that fail give their place back', async () => {
    const limits = { authentications: 1 }
    const { url } = await serve({
      limits,
      authenticate: () => {
        throw new RejectUpgrade(401, 'No')
      },
    })
    for (let n = 0; n < 3; n++) expect(await statusOf(url)).toBe(401)
  })
})

describe('sessions that wait for their clients', () => {
  test('are a quarter of all at the most by owner: its own oldest ends', async () => {
    const { endpoint, url } = await serve({ resume: { maxDetached: 8 }, authenticate })
    const bob = await join(url, user('Bob'))
    await drop(endpoint, bob.peer)
    const ada = []
    for (let n = 0; n < 4; n++) {
      const joined = await join(url, user('Ada'))
      ada.push(joined)
      await drop(endpoint, joined.peer)
    }
    expect(endpoint.channels.size).toBe(3)
    const back = []
    for (const session of ada) back.push((await join(url, user('Ada'), session)).result.resumed)
    expect(back).toStrictEqual([false, false, true, true])
    expect((await join(url, user('Bob'), bob)).result.resumed).toBe(true)
  })

  test('end of whoever has the most, where there are too many in all', async () => {
    const limits = { share: 0.75 }
    const { endpoint, url } = await serve({ resume: { maxDetached: 4 }, limits, authenticate })
    const first: Record<string, { sid: string; token: string }> = {}
    for (const name of ['Bob', 'Ada', 'Ada', 'Ada', 'Eve']) {
      const joined = await join(url, user(name))
      first[name] ??= joined
      await drop(endpoint, joined.peer)
    }
    expect((await join(url, user('Ada'), first.Ada)).result.resumed).toBe(false)
    expect((await join(url, user('Bob'), first.Bob)).result.resumed).toBe(true)
    expect((await join(url, user('Eve'), first.Eve)).result.resumed).toBe(true)
  })

  test('have a quarter of the bytes at the most by owner', async () => {
    const resume = { maxDetachedBytes: 8_000 }
    const { endpoint, url } = await serve({ resume, authenticate })
    const sessions = []
    for (const name of ['Bob', 'Ada', 'Ada']) {
      const joined = await join(url, user(name))
      sessions.push(joined)
      await drop(endpoint, joined.peer)
      const channel = [...endpoint.channels].find(({ id }) => id === joined.sid)
      void channel?.notify('told', { text: 'x'.repeat(1_500) })
    }
    await polled(() => endpoint.channels.size).toBe(2)
    const [bob, first, second] = sessions
    expect((await join(url, user('Ada'), first)).result.resumed).toBe(false)
    expect((await join(url, user('Ada'), second)).result.resumed).toBe(true)
    expect((await join(url, user('Bob'), bob)).result.resumed).toBe(true)
  })
})

describe('results that are kept by key', () => {
  const call = (id: number, key: string) => ({
    jsonrpc: '2.0',
    id,
    method: 'echo',
    params: { text: 'x'.repeat(500) },
    rpc: { key },
  })

  test.each([
    ['keys', { maxEntries: 8 }],
    ['characters', { maxBytes: 4_000 }],
    ['keys, of another share', { maxEntries: 4, share: 0.5 }],
  ])('are a part of all at the most by owner: %s', async (_, options) => {
    const { url } = await serve({
      authenticate,
      idempotency: {
        store: memoryResultStore(options),
        scope: (identity) => String((identity as { name: string }).name),
      },
    })
    const ada = (await join(url, user('Ada'))).peer
    for (const id of [1, 2]) {
      ada.send(call(id, `key ${id}`))
      expect(await ada.nextJson()).toMatchObject({ id, result: expect.any(String) })
    }
    ada.send(call(3, 'key 3'))
    expect(await ada.nextJson()).toMatchObject({ id: 3, error: { code: -32003 } })
    // By whatever connection it comes; and what it has is still there.
    const again = (await join(url, user('Ada'))).peer
    again.send(call(4, 'key 4'))
    expect(await again.nextJson()).toMatchObject({ id: 4, error: { code: -32003 } })
    again.send(call(5, 'key 1'))
    expect(await again.nextJson()).toMatchObject({ id: 5, result: expect.any(String) })
    const bob = (await join(url, user('Bob'))).peer
    bob.send(call(1, 'key 1'))
    expect(await bob.nextJson()).toMatchObject({ id: 1, result: expect.any(String) })
  })

  test('of clients without identities are counted by their addresses', async () => {
    const idempotency = { store: memoryResultStore({ maxEntries: 4 }) }
    const { url } = await serve({ idempotency, trustProxy: true })
    const first = (await join(url, from('192.0.2.1'))).peer
    for (const [id, end] of [
      [1, 'result'],
      [2, 'error'],
    ] as const) {
      first.send(call(id, `key ${id}`))
      expect(await first.nextJson()).toHaveProperty(end)
    }
    const second = (await join(url, from('192.0.2.2'))).peer
    second.send(call(3, 'key 3'))
    expect(await second.nextJson()).toHaveProperty('result')
  })

  test.each([0, -1, 1.1, Number.NaN, '1/4', null])('can’t have a share of %j', (share) => {
    const create = () => memoryResultStore({ share } as never)
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow('share')
  })
})
