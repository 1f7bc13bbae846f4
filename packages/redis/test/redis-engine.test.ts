import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import { createFaultProxy } from '@flashrpc/core/testing'
import { type RedisClient, redisEngine } from '@flashrpc/redis'
import { type RedisOptions as AllOptions, Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { createClient, createCluster } from 'redis'
import { generate } from 'selfsigned'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import { redisProgram, startRedis } from '../../../scripts/engine-servers/redis-server.js'
import { freePort } from '../../../scripts/free-port.js'
import { eventually } from '../../core/test/support/eventually.js'
import {
  describeEngine,
  describeOutages,
  describeSilence,
  raceJoins,
} from '../../core/test/support/suite/describe-engine.js'
import { EngineNode } from '../../core/test/support/suite/engine-node.js'

const why = redisProgram.missing ? ` (skipped: ${redisProgram.missing})` : ''

type RedisOptions = Pick<
  AllOptions,
  'port' | 'username' | 'password' | 'tls' | 'keyPrefix' | 'lazyConnect'
>

/** A client, and a function that closes it. */
interface Opened {
  readonly client: RedisClient
  readonly close: () => void
}

function ioredis(options: RedisOptions): Opened & { readonly client: Redis } {
  const client = new Redis({ host: '127.0.0.1', retryStrategy: () => 50, ...options })
  client.on('error', () => {})
  return { client, close: () => client.disconnect() }
}

/** The oldest that is supported. */
function ioredis5(port: number): Opened {
  const client = new Redis5({ host: '127.0.0.1', port, retryStrategy: () => 50 })
  client.on('error', () => {})
  return { client, close: () => client.disconnect() }
}

function nodeRedis(port: number): Opened {
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: () => 50 } })
  // Its documentation asks for it: an error that nobody listens to ends the process.
  client.on('error', () => {})
  return { client, close: () => client.destroy() }
}

const CLIENTS: [string, (port: number) => Opened][] = [
  ['ioredis', (port) => ioredis({ port })],
  ['ioredis 5', ioredis5],
  ['redis', nodeRedis],
]

describe.skipIf(redisProgram.missing).each(CLIENTS)(`redisEngine, over %s${why}`, (name, make) => {
  const closes: (() => void)[] = []
  let server: EngineServer | undefined

  const open = async () => {
    server ??= await startRedis()
    const running = server
    const client = () => {
      const { client, close } = make(running.port)
      closes.push(close)
      return client
    }
    return {
      engine: () => redisEngine({ publisher: client(), subscriber: client() }),
      kill: () => running.kill(),
      restart: () => running.restart(),
      signal: (signal: 'SIGSTOP' | 'SIGCONT') => running.signal(signal),
    }
  }

  afterAll(async () => {
    for (const close of closes) close()
    await server?.[Symbol.asyncDispose]()
  })

  describeEngine(`Redis, ${name}`, open)
  describeOutages(`Redis, ${name}`, open)
  describeSilence(`Redis, ${name}`, open)
})

describe.skipIf(redisProgram.missing)(`redisEngine${why}`, () => {
  const ends: (() => unknown)[] = []

  const start = async (more?: readonly string[]): Promise<EngineServer> => {
    const server = await startRedis(more)
    ends.push(() => server[Symbol.asyncDispose]())
    return server
  }
  const client = (options: RedisOptions): Redis => {
    const { client, close } = ioredis(options)
    ends.push(close)
    return client
  }
  const idle = (options: RedisOptions): EngineNode => {
    const engine = redisEngine({ publisher: client(options), subscriber: client(options) })
    ends.push(() => engine.stop())
    return new EngineNode(engine)
  }

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  test('leaves the clients open when it stops', async () => {
    const { port } = await start()
    const [publisher, subscriber] = [client({ port }), client({ port })]
    const one = await new EngineNode(redisEngine({ publisher, subscriber })).start()
    one.subscribe('frpc.chat.x')
    await one.settled()
    await one.engine.stop()
    expect([publisher.status, subscriber.status]).toStrictEqual(['ready', 'ready'])
    expect(await publisher.pubsub('CHANNELS')).toStrictEqual([])
  })

  describe('if one of its connections is slower', () => {
    /** A node with a slow connection, and another; the shared subject is known to both. */
    const nodes = async (slow: 'publisher' | 'subscriber', ms: number) => {
      const { port } = await start()
      const proxy = await createFaultProxy({ port })
      ends.push(() => proxy.close())
      proxy.delay({ up: ms, down: ms })
      const connections = { publisher: client({ port }), subscriber: client({ port }) }
      connections[slow] = client({ port: proxy.port })
      const engine = redisEngine(connections)
      ends.push(() => engine.stop())
      return [await idle({ port }).start(), await new EngineNode(engine).start()] as const
    }

    test('a subscription stands after what was published before it', async () => {
      const [caller, callee] = await nodes('publisher', 3)
      await raceJoins(caller, callee, (name) => `frpc.race.${name}`, {
        rounds: 200,
        waitMs: 100,
      })
    })

    test('a subscription has ended before what is published after it', async () => {
      const [caller, callee] = await nodes('subscriber', 30)
      caller.subscribe('frpc.race.x')
      await caller.settled()
      for (let i = 1; i <= 5; i++) {
        const topic = `frpc.race.t${i}`
        const leave = callee.subscribe(topic)
        await callee.settled()
        leave()
        callee.publish('frpc.race.x', `left ${topic}`)
        await eventually(() => expect(caller.told).toHaveLength(i))
        expect(await caller.engine.reach(topic, 5_000)).toBe('no')
      }
    })
  })

  describe('a Redis Cluster is refused', () => {
    test('as a client', () => {
      const cluster = new Cluster([], { lazyConnect: true })
      const other = createCluster({ rootNodes: [] })
      for (const publisher of [cluster, other] as unknown[] as RedisClient[]) {
        const make = () => redisEngine({ publisher, subscriber: publisher })
        expect(make).toThrow(RpcConfigError)
        const two = () => redisEngine({ publisher, subscriber: client({ lazyConnect: true }) })
        expect(two).toThrow(/publisher is a client of a Redis Cluster/)
      }
    })

    test('as a server', async () => {
      const { port } = await start(['--cluster-enabled', 'yes'])
      const started = idle({ port }).start()
      await expect(started).rejects.toThrow(/a part of a Redis Cluster/)
      await expect(started).rejects.toBeInstanceOf(RpcConfigError)
    })
  })

  test('options that can not work are refused', () => {
    const [one, other] = [client({ lazyConnect: true }), client({ lazyConnect: true })]
    expect(() => redisEngine({ publisher: one, subscriber: one })).toThrow(/two connections/)
    expect(() => redisEngine({ publisher: one } as never)).toThrow(/subscriber must be a client/)
    expect(() => redisEngine({} as never)).toThrow(/publisher must be a client/)
    const prefixed = client({ lazyConnect: true, keyPrefix: 'app:' })
    expect(() => redisEngine({ publisher: other, subscriber: prefixed })).toThrow(/keyPrefix/)
    expect(() => redisEngine({ publisher: one, subscriber: other, app: 'chat' } as never)).toThrow(
      /no option "app"/,
    )
  })

  test.each(CLIENTS)('a server that is not there is told of, over %s', async (_name, make) => {
    const port = await freePort()
    const clients = [make(port), make(port)] as const
    for (const { close } of clients) ends.push(close)
    const engine = redisEngine({ publisher: clients[0].client, subscriber: clients[1].client })
    const started = new EngineNode(engine).start()
    await expect(started).rejects.toThrow(/Redis can't be used: .*(ECONNREFUSED|no answer)/)
    await expect(started).rejects.toMatchObject({ outcome: 'not-sent' })
  })

  describe('an ACL', () => {
    const acl = [
      ...['--user', 'node', 'on', '>secret', 'resetchannels', '&frpc:chat:*', '-@all'],
      ...['+@connection', '+publish', '+subscribe', '+unsubscribe', '+pubsub|numsub'],
    ]
    const own = { username: 'node', password: 'secret' }

    test('for its own namespace is enough', async () => {
      const { port } = await start(acl)
      const [one, two] = [idle({ port, ...own }), idle({ port, ...own })]
      await Promise.all([one.start(), two.start()])
      two.subscribe('frpc.chat.x')
      await two.settled()
      one.publish('frpc.chat.x', 'hello')
      await eventually(() => expect(two.textsOf('frpc.chat.x')).toStrictEqual(['hello']))
      expect(await one.engine.reach('frpc.chat.x', 5_000)).toBe('yes')
      expect(await one.engine.reach('frpc.chat.y', 5_000)).toBe('no')
      expect(one.states).toStrictEqual(['up'])
    })

    test.each([
      ['publish', (one: EngineNode) => one.publish('frpc.shop.x', 'text')],
      ['subscribe', (one: EngineNode) => one.subscribe('frpc.shop.x')],
    ])('that does not permit to %s makes the engine down', async (_what, act) => {
      const { port } = await start(acl)
      const one = await idle({ port, ...own }).start()
      act(one)
      await one.reached(['up', 'down'])
      expect(() => one.publish('frpc.shop.x', 'text')).toThrow(/Redis refuses: NOPERM/)
      expect(() => one.publish('frpc.shop.x', 'text')).toThrow(RpcDisconnectedError)
    })
  })

  test('TLS passes through', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flashrpc-redis-'))
    ends.push(() => rm(folder, { recursive: true }))
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)
    const tlsPort = await freePort()
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile]
    const more = ['--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'no']
    await start(more)
    const options = { port: tlsPort, tls: { ca: cert } }
    const [one, two] = [idle(options), idle(options)]
    await Promise.all([one.start(), two.start()])
    two.subscribe('frpc.chat.x')
    await two.settled()
    one.publish('frpc.chat.x', 'hello')
    await eventually(() => expect(two.textsOf('frpc.chat.x')).toStrictEqual(['hello']))
  })
})

describe.skipIf(redisProgram.missing)(`connections that the network has forgotten${why}`, () => {
  test.concurrent.for(CLIENTS)('are made anew, over %s', async ([, make], { onTestFinished }) => {
    const server = await startRedis()
    onTestFinished(() => server[Symbol.asyncDispose]())
    const proxy = await createFaultProxy({ port: server.port })
    onTestFinished(() => proxy.close())
    const node = async (port: number) => {
      const [publisher, subscriber] = [make(port), make(port)]
      const clients = { publisher: publisher.client, subscriber: subscriber.client }
      const engine = redisEngine(clients)
      onTestFinished(async () => {
        await engine.stop()
        for (const { close } of [publisher, subscriber]) close()
      })
      return await new EngineNode(engine).start()
    }
    const [one, two] = [await node(proxy.port), await node(server.port)]
    one.subscribe('frpc.chat.x')
    await one.settled()
    for (const connection of proxy.connections) connection.stall()
    await one.reached(['up', 'down', 'up'])
    two.publish('frpc.chat.x', 'hello')
    await eventually(() => expect(one.textsOf('frpc.chat.x')).toStrictEqual(['hello']))
    expect(await two.engine.reach('frpc.chat.x', 5_000)).toBe('yes')
  })
})
