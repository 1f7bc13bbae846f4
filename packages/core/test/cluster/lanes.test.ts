import { type Client, createClient, RpcDisconnectedError } from '@flashrpc/core'
import { type ClusterOptions, createCluster } from '@flashrpc/core/cluster'
import {
  type ClusterEndpoint,
  createEndpoint,
  type EndpointOptions,
  memoryResultStore,
  type ServerChannel,
} from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { describe, expect, test } from 'vitest'
import type { AnyPeer } from '../../src/calls/peer.js'
import type { AnyClient } from '../../src/client/client.js'
import type { TappedConnection, TappedWire } from '../../src/link/wire-tap.js'
import { eventually } from '../support/eventually.js'
import { type RawPeer, rawClient } from '../support/raw-peer.js'
import { rejection } from '../support/rejection.js'
import { SeededNetwork } from '../support/seeded-network.js'

interface Server {
  whoami(params: object): { id: string; node: string }
  add(params: { a: number; b: number }): number
  /** Ends when the test says so. */
  wait(params: { name: string }): string
  join(params: { group: string }): void
  echo(params: { text: string }): string
}

interface Page {
  ask(params: { n: number }): number
  hear(params: { n: number }): void
}

type Options = Omit<Partial<EndpointOptions<Server, Page>>, 'cluster'> & {
  cluster?: Partial<ClusterOptions>
}

/** Runs a function when a test has ended, also if other tests run at the same time. */
type Finished = (close: () => Promise<void> | void) => void

/** One node: its endpoint, and what was run there. */
class Node {
  readonly endpoint: ClusterEndpoint<Server, Page>
  readonly id: string
  readonly engine
  readonly ran: string[] = []
  readonly events: string[] = []
  readonly errors: unknown[] = []
  readonly waiting = new Map<string, (value: string) => void>()
  port = 0

  constructor(network: SeededNetwork, { cluster, ...options }: Options) {
    this.engine = network.engine()
    const node = createCluster({ engine: this.engine, app: 'lanes', ...cluster })
    this.id = node.node
    this.endpoint = createEndpoint<Server, Page>({
      resume: {},
      logger: false,
      onConnect: ({ id }: ServerChannel<Server, Page>) => void this.events.push(`connect ${id}`),
      onDisconnect: ({ id }: ServerChannel<Server, Page>) =>
        void this.events.push(`disconnect ${id}`),
      onError: (_: unknown, error: unknown) => void this.errors.push(error),
      ...options,
      cluster: node,
      methods: {
        whoami: (_, { channel }) => ({
          id: (channel as ServerChannel<Server, Page>).id,
          node: this.id,
        }),
        add: ({ a, b }) => {
          this.ran.push(`add ${a} ${b}`)
          return a + b
        },
        wait: ({ name }, { signal }) => {
          this.ran.push(`wait ${name}`)
          return new Promise((resolve) => {
            this.waiting.set(name, resolve)
            signal.addEventListener('abort', () => this.ran.push(`aborted ${name}`))
          })
        },
        join: ({ group }, { channel }) => (channel as ServerChannel<Server, Page>).join(group),
        echo: ({ text }) => text,
        async *ticks({ n }: { n: number }) {
          for (let i = 0; i < n; i++) yield i
        },
      } as EndpointOptions<Server, Page>['methods'],
    } as never) as ClusterEndpoint<Server, Page>
  }
}

/** Nodes, and a proxy that leads to one of them. */
class Scene {
  readonly network = new SeededNetwork(1)
  readonly nodes: Node[] = []
  readonly finished: Finished
  proxy!: FaultProxy

  private constructor(finished: Finished) {
    this.finished = finished
  }

  static async of(finished: Finished, count: number, options: Options = {}): Promise<Scene> {
    const scene = new Scene(finished)
    for (let at = 0; at < count; at++) scene.nodes.push(new Node(scene.network, options))
    await Promise.all(
      scene.nodes.map(async (node) => {
        finished(() => node.endpoint.close())
        node.port = (await node.endpoint.listen()).port
      }),
    )
    return scene
  }

  node(at: number): Node {
    return this.nodes[at] as Node
  }

  /** A client of the first node, through the proxy. */
  async client(
    methods: object = {},
    hello?: (text: string) => void,
  ): Promise<Client<Page, Server>> {
    this.proxy = await createFaultProxy({ port: this.node(0).port })
    const { proxy } = this
    this.finished(() => proxy.close())
    const client = createClient<Server, Page>({
      url: this.proxy.url(),
      heartbeat: false,
      logger: false,
      autoConnect: false,
      retry: { minDelayMs: 1, maxDelayMs: 20 },
      methods: { ask: ({ n }: { n: number }) => n, hear: () => {}, ...methods },
    } as never)
    this.finished(() => client.close())
    if (hello) (client as unknown as AnyClient).tap({ connected: (wire) => helloTap(wire, hello) })
    await client.connect()
    return client as never
  }

  /** The client's connection is lost, and its next one leads to another node. */
  async move(client: Client<Page, Server>, to: number): Promise<void> {
    this.proxy.retarget({ port: this.node(to).port })
    const connects = count(client)
    this.proxy.reset()
    await polled(connects).toBe(1)
  }
}

function closeCodeOf(error: unknown): number | undefined {
  return (error as RpcDisconnectedError | null)?.closeCode
}

/** Counts the connections from now on. */
function count(client: Client<Page, Server>): () => number {
  let times = 0
  let was = client.state.status
  client.subscribe(({ status }) => {
    if (status === 'connected' && was !== 'connected') times++
    was = status
  })
  return () => times
}

/** As `polled` of the tests' support, which tests that run at the same time can't use. */
function polled<T>(read: () => T) {
  return {
    toBe: (value: T) => eventually(() => expect(read()).toBe(value)),
    toEqual: (value: T) => eventually(() => expect(read()).toEqual(value)),
    toContain: (value: unknown) => eventually(() => expect(read()).toContain(value)),
  }
}

/** Tells each hello that a client sends. */
function helloTap(wire: TappedWire, hello: (text: string) => void): TappedConnection {
  return {
    send(frame) {
      if (typeof frame === 'string' && frame.includes('rpc.hello')) hello(frame)
      return wire.send(frame)
    },
    receive: (frame) => wire.receive(frame),
    ended: () => {},
  }
}

describe('15: a client that comes back at another node', () => {
  test.concurrent('goes on in its session there: calls both ways, its groups, no hooks', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const [owner, other] = [scene.node(0), scene.node(1)]
    const client = await scene.client()
    const me = await client.call('whoami', {})
    await client.call('join', { group: 'room' })
    const waiting = client.call('wait', { name: 'x' })
    await polled(() => owner.ran).toEqual(['wait x'])

    await scene.move(client, 1)
    expect(client.state.resumed).toBe(true)
    expect(await client.call('whoami', {})).toEqual(me)
    expect(await client.call('add', { a: 1, b: 2 })).toBe(3)
    owner.waiting.get('x')?.('waited')
    expect(await waiting).toBe('waited')
    expect(owner.ran).toEqual(['wait x', 'add 1 2'])
    expect(other.ran).toEqual([])
    expect(other.endpoint.channels.size).toBe(0)
    const [channel] = owner.endpoint.channels
    expect(await channel?.other.ask({ n: 7 })).toBe(7)
    expect([...(channel?.groups ?? [])]).toEqual(['room'])
    expect(owner.events).toEqual([`connect ${me.id}`])
    expect(await other.endpoint.channel(me.id).other.ask({ n: 8 })).toBe(8)
  })

  test.concurrent('goes on with its streams, each item once', async ({ onTestFinished }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const client = await scene.client()
    const items: number[] = []
    for await (const item of (client as unknown as AnyPeer).stream('ticks', { n: 3_000 })) {
      items.push(item as number)
      if (items.length === 500) await scene.move(client, 1)
      if (items.length === 1_500) await scene.move(client, 0)
    }
    expect(items).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
  })

  test.concurrent('carries much in both directions, in few pieces of memory', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const client = await scene.client()
    await scene.move(client, 1)
    const text = 'x'.repeat(900_000)
    const echoed = await Promise.all(Array.from({ length: 8 }, () => client.call('echo', { text })))
    expect(echoed.every((each) => each === text)).toBe(true)
  })

  test.concurrent('is waited for if it reads slowly, at its node and at the one in between', async ({
    onTestFinished,
  }) => {
    const mib = 1024 * 1024
    const limits = { unackedBytes: 64 * mib, waitingBytes: 64 * mib }
    const scene = await Scene.of(onTestFinished, 2, { limits })
    const { engine, endpoint } = scene.node(0)
    const heard: number[] = []
    const client = await scene.client({ hear: ({ n }: { n: number }) => void heard.push(n) })
    await scene.move(client, 1)
    let bytes = 0
    const publish = engine.publish.bind(engine)
    engine.publish = (subject, payload) => {
      bytes += payload.byteLength
      publish(subject, payload)
    }
    for (const connection of scene.proxy.connections) connection.stall({ up: false, down: true })
    const [channel] = endpoint.channels
    const padding = 'x'.repeat(100_000)
    const all = Array.from({ length: 400 }, (_, n) => n)
    const sent = all.map((n) => channel?.notify('hear', { n, padding } as never))
    // 40 MB: more than the lane, the sockets and the proxy between them hold.
    for (let before = -1; before < bytes; ) {
      before = bytes
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(bytes).toBeLessThan(25 * mib)
    for (const connection of scene.proxy.connections) connection.heal()
    await Promise.all(sent)
    await polled(() => heard.length).toBe(400)
    expect(heard).toEqual(all)
  })

  test.concurrent('16: is relayed by a third node when the second one is gone', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 3)
    const owner = scene.node(0)
    const client = await scene.client()
    const me = await client.call('whoami', {})
    await scene.move(client, 1)
    const waiting = client.call('wait', { name: 'x' })
    await polled(() => owner.ran).toEqual(['wait x'])
    scene.proxy.retarget({ port: scene.node(2).port })
    await scene.node(1).endpoint.close()
    await polled(() => client.state.status).toBe('connected')
    expect(await client.call('whoami', {})).toEqual(me)
    owner.waiting.get('x')?.('waited')
    expect(await waiting).toBe('waited')
    expect(owner.events).toEqual([`connect ${me.id}`])
  })

  test.concurrent('17: has the outcomes of a lost server when its owner is gone', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2, { cluster: { graceMs: 100 } })
    const client = await scene.client()
    const me = await client.call('whoami', {})
    await scene.move(client, 1)
    const call = rejection(client.call('wait', { name: 'x' }))
    await polled(() => scene.node(0).ran).toEqual(['wait x'])
    await scene.node(0).endpoint.close()
    const error = await call
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed' })
    const now = await client.call('whoami', {})
    expect(now.node).toBe(scene.node(1).id)
    expect(now.id).not.toBe(me.id)
    expect(client.state.resumed).toBe(false)
  })

  test.concurrent('begins anew where it is, knowing how far its session came, if that has ended', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const owner = scene.node(0)
    const client = await scene.client()
    await client.call('add', { a: 1, b: 1 })
    scene.proxy.retarget({ port: scene.node(1).port })
    // Written by the client, and certainly not received.
    for (const connection of scene.proxy.connections) connection.stall({ up: true, down: false })
    const calls = [client.call('add', { a: 2, b: 2 }), client.call('add', { a: 3, b: 3 })]
    await polled(() => client.state.inFlight).toBe(2)
    const [channel] = owner.endpoint.channels
    await channel?.close(4000, 'over')
    scene.proxy.reset()
    expect(await Promise.all(calls)).toEqual([4, 6])
    expect(owner.ran).toEqual(['add 1 1'])
    expect(scene.node(1).ran).toEqual(['add 2 2', 'add 3 3'])
  })
})

describe('keys', () => {
  test.concurrent('17: a call with a key is sent again to the new owner, and does not run twice', async ({
    onTestFinished,
  }) => {
    const store = memoryResultStore()
    const scene = await Scene.of(onTestFinished, 2, {
      cluster: { graceMs: 100 },
      idempotency: { store },
    })
    const client = await scene.client()
    await scene.move(client, 1)
    const idempotencyKey = 'order 1'
    const first = await client.call('add', { a: 1, b: 1 }, { idempotencyKey })
    await scene.node(0).endpoint.close()
    await polled(() => client.state.status).toBe('connected')
    expect(await client.call('add', { a: 1, b: 1 }, { idempotencyKey })).toBe(first)
    expect(scene.nodes.flatMap(({ ran }) => ran)).toEqual(['add 1 1'])
  })
})

describe('the session router', () => {
  test.concurrent('18: an attempt that comes late ends with 4409, and the session goes on', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 3)
    const seen: string[] = []
    const client = await scene.client({}, (hello) => seen.push(hello))
    await scene.move(client, 1)
    await scene.move(client, 2)
    const me = await client.call('whoami', {})
    // The second hello again, at the second node: as if it had been held up on its way.
    const late = await rawPeer(scene, scene.node(1), seen[1] as string)
    expect(await late.closed).toMatchObject({ code: 4409 })
    expect(await client.call('whoami', {})).toEqual(me)
    expect(client.state.status).toBe('connected')
  })

  test.concurrent('19: with a hostile id, a new session begins, and nothing else is touched', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const [owner, other] = [scene.node(0), scene.node(1)]
    const seen: string[] = []
    const client = await scene.client({}, (hello) => seen.push(hello))
    const me = await client.call('whoami', {})
    await scene.move(client, 0)
    const published = new Set<string>()
    for (const { engine } of scene.nodes) {
      const publish = engine.publish.bind(engine)
      engine.publish = (subject, payload) => {
        published.add(subject)
        publish(subject, payload)
      }
    }
    const { sid } = JSON.parse(seen[1] as string).params.resume
    const hostile = [
      { token: 'guessed' },
      { sid: `${other.id}${'0'.repeat(32)}` },
      { sid: `${owner.id}${'0'.repeat(32)}` },
      { sid: '0'.repeat(48) },
      { sid: `${sid.slice(0, 47)}g` },
      { sid: '>' },
      { sid: 'frpc.lanes.t.all' },
      { sid: 'x\r\nPUB y 0\r\n' },
    ]
    for (const changed of hostile) {
      const hello = JSON.parse(seen[1] as string)
      Object.assign(hello.params.resume, changed)
      const peer = await rawPeer(scene, other, JSON.stringify(hello))
      const { result } = await peer.nextJson()
      expect(result).toMatchObject({ resumed: false })
      expect(result.lastRecv).toBeUndefined()
      expect(result.sid.startsWith(other.id)).toBe(true)
    }
    const long = JSON.parse(seen[1] as string)
    long.params.resume.sid = 'a'.repeat(500_000)
    const peer = await rawPeer(scene, other, JSON.stringify(long))
    expect(await peer.nextJson()).toMatchObject({ error: { code: -32602 } })
    const inboxes = scene.nodes.map(({ id }) => `frpc.lanes.n.${id}`)
    const ours = new Set(['frpc.lanes.x', ...inboxes])
    expect([...published].filter((subject) => !ours.has(subject))).toEqual([])
    expect(await client.call('whoami', {})).toEqual(me)
  })

  test.concurrent('a client that says nothing, and one that speaks plain JSON-RPC, are served', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 1)
    const plain = await rawPeer(
      scene,
      scene.node(0),
      '{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":1,"b":2}}',
    )
    expect(await plain.nextJson()).toEqual({ jsonrpc: '2.0', id: 1, result: 3 })
    const silent = await rawPeer(scene, scene.node(0), undefined)
    await polled(() => scene.node(0).endpoint.channels.size).toBe(1)
    expect(silent.socket.readyState).toBe(1)
  })

  test.concurrent('a node without the engine asks to come back, and then goes on in the session', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const client = await scene.client()
    const me = await client.call('whoami', {})
    scene.network.cutOff(scene.node(1).engine)
    const closes: number[] = []
    client.subscribe(({ lastError }) => {
      closes.push(closeCodeOf(lastError) ?? 0)
    })
    scene.proxy.retarget({ port: scene.node(1).port })
    scene.proxy.reset()
    await polled(() => closes).toContain(1013)
    await scene.network.restore(scene.node(1).engine)
    expect(await client.call('whoami', {})).toEqual(me)
    expect(client.state.resumed).toBe(true)
  })

  test.concurrent('a relay whose node loses the engine tells its client to come back, and nothing is lost', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2)
    const owner = scene.node(0)
    const client = await scene.client()
    const me = await client.call('whoami', {})
    await scene.move(client, 1)
    const waiting = client.call('wait', { name: 'x' })
    await polled(() => owner.ran).toEqual(['wait x'])
    scene.network.cutOff(scene.node(1).engine)
    await polled(() => closeCodeOf(client.state.lastError)).toBe(1012)
    await scene.network.restore(scene.node(1).engine)
    owner.waiting.get('x')?.('waited')
    expect(await waiting).toBe('waited')
    expect(await client.call('whoami', {})).toEqual(me)
    expect(owner.events).toEqual([`connect ${me.id}`])
  })

  test.concurrent('with relay: false, a client that moves begins a new session', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2, { cluster: { relay: false } })
    const client = await scene.client()
    await scene.move(client, 1)
    expect((await client.call('whoami', {})).node).toBe(scene.node(1).id)
    expect(client.state.resumed).toBe(false)
  })

  test.concurrent('beyond relay.maxLanes, too', async ({ onTestFinished }) => {
    const scene = await Scene.of(onTestFinished, 2, { cluster: { relay: { maxLanes: 1 } } })
    for (const isRelayed of [true, false]) {
      const client = await scene.client()
      const { id } = await client.call('whoami', {})
      await scene.move(client, 1)
      expect(client.state.resumed).toBe(isRelayed)
      expect((await client.call('whoami', {})).id === id).toBe(isRelayed)
    }
  })

  test.concurrent('a relayed session that is idle begins anew where its client is, if that is wanted', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2, { cluster: { relay: { rehomeAfterMs: 100 } } })
    const owner = scene.node(0)
    const client = await scene.client()
    await scene.move(client, 1)
    const waiting = client.call('wait', { name: 'x' })
    await polled(() => owner.ran).toEqual(['wait x'])
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect((await client.call('whoami', {})).node).toBe(owner.id)
    owner.waiting.get('x')?.('waited')
    expect(await waiting).toBe('waited')
    await polled(() => scene.node(1).endpoint.channels.size).toBe(1)
    expect((await client.call('whoami', {})).node).toBe(scene.node(1).id)
  })
})

describe('identities', () => {
  class User {
    readonly id: string
    readonly since: Date

    constructor(id: string, since: Date) {
      this.id = id
      this.since = since
    }
  }
  const since = new Date(0)
  const authenticate = () => new User('ann', since)

  test.concurrent('an identity that the codec does not carry is refused loudly', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2, { authenticate, logger: recorder() })
    const client = await scene.client()
    await scene.move(client, 1)
    expect(client.state.resumed).toBe(false)
    expect(logged.join()).toContain('createCluster({ identity')
  })

  test.concurrent('an identity goes through encode and decode on both sides of the comparison', async ({
    onTestFinished,
  }) => {
    const scene = await Scene.of(onTestFinished, 2, {
      authenticate,
      cluster: {
        identity: {
          encode: (user) => ({ id: (user as User).id, since: (user as User).since.getTime() }),
          decode: (value) => {
            const { id, since } = value as { id: string; since: number }
            return new User(id, new Date(since))
          },
        },
      },
    })
    const client = await scene.client()
    await scene.move(client, 1)
    expect(client.state.resumed).toBe(true)
    const [channel] = scene.node(0).endpoint.channels
    expect(channel?.identity).toEqual(new User('ann', since))
  })

  test.concurrent('somebody else gets a new session', async ({ onTestFinished }) => {
    let name = 'ann'
    const scene = await Scene.of(onTestFinished, 2, { authenticate: () => ({ name }) })
    const client = await scene.client()
    const me = await client.call('whoami', {})
    name = 'bob'
    await scene.move(client, 1)
    expect(client.state.resumed).toBe(false)
    expect((await client.call('whoami', {})).id).not.toBe(me.id)
  })

  test.concurrent('credentials that end, end a relayed session', async ({ onTestFinished }) => {
    const until = Date.now() + 3_000
    const scene = await Scene.of(onTestFinished, 2, {
      authenticate: () => ({ until }),
      expiresAt: (({ until }: { until: number }) => until) as never,
    })
    const client = await scene.client()
    await scene.move(client, 1)
    expect(client.state.resumed).toBe(true)
    await polled(() => closeCodeOf(client.state.lastError)).toBe(4401)
  })

  const logged: string[] = []
  function recorder() {
    const log = (line: string) => void logged.push(line)
    return { debug() {}, info() {}, warn: log, error: log }
  }
})

/** A client without a library, which sends this first. */
async function rawPeer(
  { finished }: Scene,
  node: Node,
  first: string | undefined,
): Promise<RawPeer> {
  const peer = await rawClient(`ws://127.0.0.1:${node.port}/`)
  finished(() => peer[Symbol.asyncDispose]())
  if (first !== undefined) peer.send(first)
  return peer
}
