import {
  type AnyClient,
  createClient,
  type Frame,
  type TappedWire,
  type WireTap,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { RawServer } from './support/raw-peer.js'
import { until } from './support/until.js'

interface Server {
  add(params: { a: number; b: number }): number
  hang(): void
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve() {
  const endpoint = createEndpoint<Server>({
    resume: {},
    methods: { add: ({ a, b }) => a + b, hang: () => new Promise(() => {}) },
  })
  const { url } = await endpoint.listen()
  opened.push(() => endpoint.close())
  return url
}

function connect(url: string) {
  const client = createClient<Server>({ url, retry: { minDelayMs: 5, maxDelayMs: 20 } })
  opened.push(() => client.close())
  return client
}

/** Writes down what passes, and hands it on. */
class Recorder implements WireTap {
  readonly passed: string[] = []
  readonly wires: TappedWire[] = []

  connected(wire: TappedWire) {
    this.wires.push(wire)
    return {
      send: (frame: Frame) => {
        this.passed.push(`→ ${frame}`)
        return wire.send(frame)
      },
      receive: (frame: Frame) => {
        this.passed.push(`← ${frame}`)
        wire.receive(frame)
      },
      ended: ({ code }: { code: number }) => this.passed.push(`ended ${code}`),
    }
  }
}

describe('a tap', () => {
  test('sees every frame of a connection, from the hello to the end', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url)
    const tap = new Recorder()
    client.tap(tap)
    const peer = await server.accept()
    const hello = await peer.next()
    const welcome = JSON.stringify({
      jsonrpc: '2.0',
      id: 'rpc:1',
      result: {
        v: 1,
        sid: 'abc',
        resumed: false,
        spreadMs: 0,
        codec: 'json',
        limits: { msg: 999 },
      },
    })
    peer.send(welcome)
    const sum = client.other.add({ a: 1, b: 2 })
    const call = await peer.next()
    const answer = '{"jsonrpc":"2.0","id":1,"result":3}'
    peer.send(answer)
    expect(await sum).toBe(3)
    peer.socket.close(1001)
    await until(client, 'reconnecting')
    // The next connection may have begun by now.
    expect(tap.passed.slice(0, 5)).toEqual([
      `→ ${hello}`,
      `← ${welcome}`,
      `→ ${call}`,
      `← ${answer}`,
      'ended 1001',
    ])
  })

  test('is put into the connection there is, and into those that come', async () => {
    const client = connect(await serve())
    await client.connect()
    const tap = new Recorder()
    client.tap(tap)
    await client.other.add({ a: 1, b: 2 })
    expect(tap.passed).toHaveLength(2)
    tap.wires[0]?.cut('a test')
    await until(client, 'reconnecting')
    await until(client, 'connected')
    expect(tap.passed).toContain('ended 1006')
    expect(tap.wires).toHaveLength(2)
    expect(tap.passed.find((frame) => frame.includes('rpc.hello'))).toBeDefined()
  })

  test('may hold frames back, and nothing is lost by it', async () => {
    const client = connect(await serve())
    await client.connect()
    const held: (() => void)[] = []
    client.tap({
      connected: (wire) => ({
        send: (frame) => {
          held.push(() => wire.send(frame))
          return true
        },
        receive: (frame) => held.push(() => wire.receive(frame)),
        ended: () => {},
      }),
    })
    const sums = [1, 2, 3].map((a) => client.other.add({ a, b: 1 }))
    const handOn = () => {
      for (const pass of held.splice(0)) pass()
    }
    await polled(() => held.length).toBeGreaterThan(0)
    handOn()
    await polled(() => held.length).toBeGreaterThan(0)
    expect(client.state.inFlight).toBe(3)
    await polled(() => {
      handOn()
      return client.state.inFlight
    }).toBe(0)
    expect(await Promise.all(sums)).toEqual([2, 3, 4])
  })

  test('what it holds back beyond the end of the connection is sent again in the session', async () => {
    const client = connect(await serve())
    await client.connect()
    let wire: TappedWire | undefined
    const inspection = client.tap({
      connected: (tapped) => {
        wire = tapped
        return { send: () => true, receive: () => {}, ended: () => {} }
      },
    })
    const sum = client.other.add({ a: 1, b: 1 })
    inspection.stop()
    wire?.cut('a test')
    expect(await sum).toBe(2)
    expect(client.state.resumed).toBe(true)
    // The connection it was put into has ended.
    expect(wire?.send('late')).toBe(false)
  })

  test('sees nothing more when it is taken away, or another takes its place', async () => {
    const client: AnyClient = connect(await serve())
    await client.connect()
    const [first, second] = [new Recorder(), new Recorder()]
    const one = client.tap(first)
    const two = client.tap(second)
    one.stop()
    await client.call('add', { a: 1, b: 2 })
    expect(first.passed).toEqual([])
    expect(second.passed).toHaveLength(2)
    two.stop()
    await client.call('add', { a: 1, b: 2 })
    expect(second.passed).toHaveLength(2)
  })
})

test('a snapshot tells what the state does not', async () => {
  const client = connect(await serve())
  const { snapshot, codec } = client.tap(new Recorder())
  expect(codec.name).toBe('json')
  expect(snapshot()).toEqual({
    isExtended: null,
    session: null,
    running: 0,
    queued: 0,
    bufferedBytes: null,
    peerMaxMessage: null,
  })
  await client.connect()
  await client.other.add({ a: 1, b: 2 })
  client.other.hang().catch(() => {})
  expect(snapshot()).toMatchObject({
    isExtended: true,
    session: { id: client.state.sessionId, sent: 2, received: 1 },
    bufferedBytes: expect.any(Number),
    peerMaxMessage: 1_048_576,
  })
  // Sooner or later, at the latest a second after it came.
  await polled(() => snapshot().session?.acknowledged).toBe(2)
  expect(snapshot().session?.keptBytes).toBe(0)
})
