import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readMessagesOf, type WsReceiver } from '../src/transport/node/ws-reader.js'
import { polled } from './support/eventually.js'
import { acceptanceOf, httpServer } from './support/http-server.js'
import { BYTES, HUGE, PING, PONG, RawSocket, rawFrame, TEXT } from './support/raw-frames.js'
import { type RenamedWs, renamedWs } from './support/renamed-ws.js'

/** Those of `ws` that are read here. */
const MEMBERS = ['_receiver', '_state', '_bufferedBytes', '_fragmented', '_maxPayload']
/** Node's own, of a socket. */
const OF_NODE = ['_handle']

interface Server {
  echo(params: unknown): unknown
}

const add = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'echo', params: { a: 1 } })

test('no other private member is read than those that are renamed here', async () => {
  const found = new Set<string>()
  for (const folder of ['transport', 'client', 'server']) {
    const path = new URL(`../src/${folder}/`, import.meta.url)
    for (const name of await readdir(path, { recursive: true })) {
      // The names on Python's wire.
      if (!name.endsWith('.ts') || name.includes('python')) continue
      const code = await readFile(new URL(name, path), 'utf8')
      for (const [, member] of code.matchAll(/(?<![\w'"`])(_[a-z]\w*)/g))
        found.add(member as string)
    }
  }
  expect([...found].sort()).toStrictEqual([...MEMBERS, ...OF_NODE].sort())
})

describe.each<[string, string | undefined, boolean]>([
  ['as it is', undefined, true],
  ['that alone reads and writes frames (fastPath: false)', undefined, false],
  ...MEMBERS.map((member): [string, string, boolean] => [
    `whose ${member} has another name`,
    member,
    true,
  ]),
])('over a ws %s', (_, member, fastPath) => {
  let ws: RenamedWs | undefined
  let createClient: typeof import('@flashrpc/core').createClient
  let createEndpoint: typeof import('@flashrpc/core/server').createEndpoint

  beforeAll(async () => {
    vi.resetModules()
    if (member) {
      ws = await renamedWs(member)
      expect(ws.replaced).toBeGreaterThan(1)
      const { url } = ws
      vi.doMock('ws', () => import(/* @vite-ignore */ url))
    }
    ;({ createClient } = await import('@flashrpc/core'))
    ;({ createEndpoint } = await import('@flashrpc/core/server'))
  })

  afterAll(async () => {
    vi.doUnmock('ws')
    vi.resetModules()
    await ws?.[Symbol.asyncDispose]()
  })

  function serve(limits: {
    message?: number
    messagesPerSecond?: number
    bytesPerSecond?: number
  }) {
    const ends: number[] = []
    const errors: unknown[] = []
    const endpoint = createEndpoint<Server>({
      fastPath,
      limits,
      onDisconnect: [(__, { code }) => ends.push(code)],
      onError: [(__, error) => errors.push(error)],
      methods: { echo: (params) => params },
    })
    return { endpoint, ends, errors }
  }

  test('calls work, of every size', async () => {
    const { endpoint } = serve({})
    const { url } = await endpoint.listen()
    const client = createClient<Server>({ url, fastPath })
    for (const size of [0, 10, 1_000, 70_000, 300_000]) {
      const sent = { text: 'é'.repeat(size), bytes: new Uint8Array(size).fill(7) }
      const { text, bytes } = (await client.other.echo(sent)) as typeof sent
      expect(text === sent.text && Buffer.compare(bytes, sent.bytes) === 0).toBe(true)
    }
    await client.close()
    await endpoint.close()
  })

  test('messages are read by ws, unless all is as expected', async () => {
    const { Receiver } = createRequire(ws?.url ?? import.meta.url)(ws ? './index.js' : 'ws') as {
      Receiver: { prototype: { _write(): void } }
    }
    const { endpoint } = serve({})
    const client = createClient<Server>({ url: (await endpoint.listen()).url, fastPath })
    await client.other.echo({})
    const written = vi.spyOn(Receiver.prototype, '_write')
    await client.other.echo({})
    expect(written).toHaveBeenCalledTimes(member === undefined && fastPath ? 0 : 2)
    written.mockRestore()
    await client.close()
    await endpoint.close()
  })

  test('a server buffers no message over its limit', async () => {
    const { endpoint } = serve({ message: 5_000 })
    const { port } = await endpoint.listen()
    const peer = await RawSocket.connect(port)
    peer.send(rawFrame(TEXT, add))
    await polled(() => String(peer.came)).toContain('"result"')
    peer.send(HUGE)
    // The close frame, with 1009.
    await polled(() => peer.came.includes(Buffer.from([0x03, 0xf1]))).toBe(true)
    peer.socket.destroy()
    await endpoint.close()
  })

  test('a client buffers no message over its limit', async () => {
    let goodbyes = 0
    await using server = await httpServer((socket, request) => {
      socket.on('data', (chunk: Buffer) => {
        // A goodbye of a client, of a code and nothing more.
        if (chunk.includes(Buffer.from([0x88, 0x82]))) goodbyes++
      })
      socket.write(acceptanceOf(request))
      const huge = Buffer.from(HUGE.subarray(0, 10))
      huge[1] = 0x7f
      socket.write(huge)
    })
    const client = createClient<Server>({
      url: server.url,
      fastPath,
      limits: { message: 5_000 },
      retry: { minDelayMs: 5, maxDelayMs: 10 },
    })
    await polled(() => goodbyes).toBeGreaterThan(0)
    await client.close()
  })

  const deep = `${'['.repeat(300)}${']'.repeat(300)}`
  const helloFrame = rawFrame(
    TEXT,
    JSON.stringify({
      jsonrpc: '2.0',
      id: 'rpc:1',
      method: 'rpc.hello',
      params: { v: 1, attempt: 1, codec: 'json', bytes: true, limits: { msg: 1_000 } },
    }),
  )
  const inParts = JSON.stringify({
    jsonrpc: '2.0',
    method: 'none',
    params: Array(200).fill(null),
    rpc: { bytes: Array.from({ length: 200 }, (__, n) => ({ at: ['params', `${n}`], size: 0 })) },
  })
  const fragments = [rawFrame(0x01), ...Array(200).fill(rawFrame(0x00)), rawFrame(0x80, 'null')]

  test.each<[string, Uint8Array[]]>([
    ['pongs', Array(200).fill(rawFrame(PONG))],
    ['pings', Array(200).fill(rawFrame(PING, 'x'))],
    ['empty fragments', fragments],
    ['frames that nest too deep', Array(200).fill(rawFrame(TEXT, deep))],
    ['frames that can not be read', Array(200).fill(rawFrame(TEXT, '{'))],
    ['empty frames of bytes', Array(200).fill(rawFrame(BYTES))],
    [
      'the bytes of a message',
      [helloFrame, rawFrame(TEXT, inParts), ...Array(200).fill(rawFrame(BYTES))],
    ],
    ['requests that are none', Array(200).fill(rawFrame(TEXT, '{}'))],
  ])('all that a client sends counts: %s', async (__, frames) => {
    const { endpoint } = serve({ messagesPerSecond: 100 })
    const { port } = await endpoint.listen()
    const peer = await RawSocket.connect(port)
    const begin = performance.now()
    // What comes in one read is served before nothing more is read; of pings, ws answers no more than 60 at once.
    for (let n = 0; n < frames.length; n += 40) {
      peer.send(...frames.slice(n, n + 40))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    peer.send(rawFrame(TEXT, add.replace('"a":1', '"a":"late"')))
    await polled(() => String(peer.came)).toContain('"late"')
    expect(performance.now() - begin).toBeGreaterThan(400)
    peer.socket.destroy()
    await endpoint.close()
  })

  test('the bytes of pongs count', async () => {
    const { endpoint } = serve({ bytesPerSecond: 10_000 })
    const { port } = await endpoint.listen()
    const peer = await RawSocket.connect(port)
    const begin = performance.now()
    peer.send(...Array(160).fill(rawFrame(PONG, 'x'.repeat(125))))
    await new Promise((resolve) => setTimeout(resolve, 50))
    peer.send(rawFrame(TEXT, add))
    await polled(() => String(peer.came)).toContain('"result"')
    expect(performance.now() - begin).toBeGreaterThan(400)
    peer.socket.destroy()
    await endpoint.close()
  })
})

test.each([
  ['_state', 'none'],
  ['_bufferedBytes', null],
  ['_fragmented', false],
  ['_maxPayload', '1000'],
  ['_maxPayload', 0],
  ['_maxPayload', Number.NaN],
  ['errored', undefined],
  ['writableEnded', undefined],
])('a receiver is left to ws whose %s is %j', (member, value) => {
  const proto = { write: () => true }
  const known = {
    _state: 0,
    _bufferedBytes: 0,
    _fragmented: 0,
    _maxPayload: 1_000,
    errored: null,
    writableEnded: false,
  }
  const receiver = (members: object) =>
    Object.assign(Object.create(proto) as WsReceiver, known, members)
  const events = { frame: () => {} }
  expect(readMessagesOf(receiver({}), events, true)).toBe(true)
  const other = receiver({ [member]: value })
  expect(readMessagesOf(other, events, true)).toBe(false)
  expect(other.write).toBe(proto.write)
})
