import { createClient, defineContract, method, notification } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions, type ServerChannel } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { until } from './support/until.js'

const contract = defineContract({
  server: { add: method({ result: z.number() }) },
  client: { confirm: method({ result: z.string() }), notify: notification() },
})
type Page = ServerChannel<typeof contract.server, typeof contract.client>
type Options = EndpointOptions<typeof contract.server, typeof contract.client>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server that writes down what its pages say of their methods. */
async function serve(options: Partial<Options> = {}) {
  const said: string[] = []
  const errors: unknown[] = []
  const of = (methods: ReadonlySet<string>) => [...methods].join(' ') || 'nothing'
  const endpoint = createEndpoint(contract, {
    onConnect: [
      (channel) => {
        said.push(`at first ${channel.has('confirm')} ${channel.has('notify')}`)
        channel.onMethods((methods) => said.push(of(methods)))
      },
    ],
    onError: [(_, error) => errors.push(error)],
    ...options,
    methods: { add: () => 3 },
  })
  const { url, port } = await endpoint.listen()
  opened.push(() => endpoint.close())
  const page = (): Page => [...endpoint.channels][0] as Page
  return { endpoint, url, port, said, errors, page }
}

function connect(url: string, options: object = {}) {
  const client = createClient(contract, {
    url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    ...options,
  } as { url: string })
  opened.push(() => client.close())
  return client
}

const yes = () => 'yes'

describe('a server knows which methods of a client have a handler', () => {
  test('when it hears of the client, and at each change', async () => {
    const { url, said, page } = await serve()
    const client = connect(url, { methods: { notify: () => {} } })
    await client.connect()
    expect(await client.other.add()).toBe(3)
    expect(said).toEqual(['at first false true'])

    const take = client.expose('confirm', yes)
    await polled(() => said).toEqual(['at first false true', 'confirm notify'])
    expect(page().has('confirm')).toBe(true)
    take()
    await polled(() => said).toEqual(['at first false true', 'confirm notify', 'notify'])
    expect(page().has('confirm')).toBe(false)
  })

  test('hears nothing where one handler of several goes, or one is put back within the turn', async () => {
    const { url, said } = await serve()
    const client = connect(url, { methods: { confirm: yes } })
    await client.connect()
    const second = client.expose('confirm', yes)
    await client.other.add()
    second()
    await client.other.add()
    const take = client.expose('notify', () => {})
    take()
    client.expose('notify', () => {})
    await polled(() => said).toEqual(['at first true false', 'confirm notify'])
  })

  test('is told before a call that was made after the change', async () => {
    const { url, page, endpoint } = await serve()
    const client = connect(url)
    await client.connect()
    for (let n = 0; n < 50; n++) {
      const take = client.expose('confirm', yes)
      // The change is told at the end of the turn.
      await undefined
      await client.other.add()
      expect(page().has('confirm')).toBe(true)
      take()
      await undefined
      await client.other.add()
      expect(page().has('confirm')).toBe(false)
    }
    expect(endpoint.channels.size).toBe(1)
  })

  test('and is told what changed while there was no connection', async () => {
    const { said, page, port } = await serve({ resume: {} })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const client = connect(proxy.url(), { methods: { confirm: yes } })
    await client.connect()
    await client.other.add()
    const before = page()
    client.subscribe(({ status }) => {
      if (status === 'reconnecting') client.expose('notify', () => {})
    })
    proxy.cut()
    await until(client, 'reconnecting')
    await until(client, 'connected')
    await client.other.add()
    expect(client.state.resumed).toBe(true)
    // The same channel: it heard a change, and no other onConnect.
    expect(page()).toBe(before)
    expect(said).toEqual(['at first true false', 'confirm notify'])
  })

  test('until it has gone', async () => {
    const { url, said, page } = await serve()
    const client = connect(url, { methods: { confirm: yes } })
    await client.connect()
    await client.other.add()
    const channel = page()
    await client.close()
    await polled(() => said).toEqual(['at first true false', 'nothing'])
    expect(channel.has('confirm')).toBe(false)
  })

  test('and a listener that fails, or was taken away, harms no other', async () => {
    const { url, page, errors } = await serve()
    const client = connect(url)
    await client.connect()
    await client.other.add()
    const heard: string[] = []
    page().onMethods(() => {
      throw new Error('a listener')
    })
    const listener = () => heard.push('twice registered')
    page().onMethods(listener)
    const take = page().onMethods(listener)
    take()
    client.expose('confirm', yes)
    await polled(() => heard).toEqual(['twice registered'])
    expect(errors).toEqual([new Error('a listener')])
  })
})

// ── The wire: docs/protocol.md, "Methods" ───────────────────────────────────────────────────────────

const limits = { msg: 100_000 }

async function hello(url: string, params: object = {}): Promise<RawPeer> {
  const peer = await rawClient(url)
  opened.push(() => peer[Symbol.asyncDispose]())
  peer.send({
    jsonrpc: '2.0',
    id: 'rpc:1',
    method: 'rpc.hello',
    params: { v: 1, attempt: 1, codec: 'json', limits, ...params },
  })
  return peer
}

const methods = (exposed: unknown) => ({
  jsonrpc: '2.0',
  method: 'rpc.methods',
  params: { exposed },
})

describe('on the wire', () => {
  test('a client says its methods in its hello, and in rpc.methods', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url, { methods: { notify: () => {} } })
    const peer = await server.accept()
    const { params } = await peer.nextJson()
    expect(params.methods).toEqual(['notify'])
    // Between the hello and its answer: told once it is known that there is somebody to tell.
    client.expose('confirm', yes)
    peer.send({
      jsonrpc: '2.0',
      id: 'rpc:1',
      result: { v: 1, sid: 'abc', resumed: false, spreadMs: 0, codec: 'json', limits },
    })
    expect(await peer.nextJson()).toEqual(methods(['confirm', 'notify']))
  })

  test('a client that has none says none', async () => {
    await using server = await RawServer.listen()
    connect(server.url)
    const { params } = await (await server.accept()).nextJson()
    expect(params).not.toHaveProperty('methods')
  })

  test('a plain server is told nothing', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url)
    const peer = await server.accept()
    await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', error: { code: -32601, message: 'Unknown' } })
    await until(client, 'connected')
    client.expose('confirm', yes)
    const answer = client.other.add()
    expect(await peer.nextJson()).toMatchObject({ method: 'add', id: 1 })
    peer.send({ jsonrpc: '2.0', id: 1, result: 3 })
    expect(await answer).toBe(3)
  })

  test('of a plain client nothing is known', async () => {
    const { url, said, page } = await serve()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    peer.send({ jsonrpc: '2.0', id: 1, method: 'add' })
    await peer.nextJson()
    expect(page().has('confirm')).toBeUndefined()
    expect(said).toEqual(['at first undefined undefined'])
  })

  test('of names that are not in the contract nothing is kept', async () => {
    const { url, said, page } = await serve()
    const peer = await hello(url, { methods: ['confirm', 'toString', '__proto__', 'add'] })
    await peer.nextJson()
    peer.send(methods(['confirm', 'notify', 'constructor']))
    await polled(() => said).toEqual(['at first true false', 'confirm notify'])
    expect(page().has('add' as never)).toBe(false)
  })

  test('a hello whose methods are no names is none', async () => {
    const { url } = await serve()
    for (const wrong of ['confirm', [1], {}, null]) {
      const peer = await hello(url, { methods: wrong })
      expect(await peer.nextJson()).toMatchObject({ error: { code: -32602 } })
    }
  })

  test('an rpc.methods that says no names ends the connection', async () => {
    for (const wrong of ['confirm', [1], undefined, { 0: 'confirm' }]) {
      const { url } = await serve()
      const peer = await hello(url)
      await peer.nextJson()
      peer.send(methods(wrong))
      expect(await peer.closed).toMatchObject({ code: 4400 })
    }
  })

  test('rpc.methods has no number in a session', async () => {
    const { url } = await serve({ resume: {} })
    const peer = await hello(url, { limits: { msg: 100_000, buf: 100_000 } })
    const { result } = await peer.nextJson()
    peer.send(methods(['confirm']))
    peer.send({ jsonrpc: '2.0', id: 1, method: 'add' })
    await peer.nextJson()
    peer.socket.terminate()
    const again = await hello(url, {
      attempt: 2,
      limits: { msg: 100_000, buf: 100_000 },
      resume: { sid: result.sid, token: result.token, recv: 1 },
    })
    expect(await again.nextJson()).toMatchObject({ result: { resumed: true, recv: 1 } })
  })
})
