import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import type { ClusterEngine } from '@flashrpc/core/cluster'
import { natsEngine } from '@flashrpc/nats'
import { connect } from '@nats-io/transport-node'
import { generate } from 'selfsigned'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import {
  type NatsServerOptions,
  natsProgram,
  startNats,
} from '../../../scripts/engine-servers/nats-server.js'
import { freePort } from '../../../scripts/free-port.js'
import { eventually } from '../../core/test/support/eventually.js'
import {
  describeEngine,
  describeOutages,
  describeSilence,
  raceJoins,
} from '../../core/test/support/suite/describe-engine.js'
import { EngineNode } from '../../core/test/support/suite/engine-node.js'

const why = natsProgram.missing ? ` (skipped: ${natsProgram.missing})` : ''

describe.skipIf(natsProgram.missing)(`natsEngine${why}`, () => {
  const servers: EngineServer[] = []
  const ends: (() => unknown)[] = []
  let shared: EngineServer | undefined

  const start = async (options?: NatsServerOptions): Promise<EngineServer> => {
    const server = await startNats(options)
    servers.push(server)
    return server
  }
  const server = async () => (shared ??= await start())
  const open = async () => {
    const running = await server()
    return {
      engine: () => natsEngine({ servers: running.address }),
      kill: () => running.kill(),
      restart: () => running.restart(),
      signal: (signal: 'SIGSTOP' | 'SIGCONT') => running.signal(signal),
    }
  }
  const node = async (engine: ClusterEngine): Promise<EngineNode> => {
    const made = new EngineNode(engine)
    ends.push(() => engine.stop())
    return made.start()
  }

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  afterAll(async () => {
    for (const each of servers) await each[Symbol.asyncDispose]()
  })

  describeEngine('NATS', open)
  describeOutages('NATS', open)
  describeSilence('NATS', open)

  test('whoever got a message is known to its publisher, over two servers', async () => {
    const [one, other] = [await freePort(), await freePort()]
    const config = (port: number, routes: number[]) =>
      `server_name: s${port}
      cluster { name: both, listen: "127.0.0.1:${port}", routes: [${routes.map((route) => `"nats://127.0.0.1:${route}"`)}] }`
    const first = await start({ config: config(one, []) })
    const second = await start({ config: config(other, [one]) })
    const caller = await node(natsEngine({ servers: first.address, ignoreClusterUpdates: true }))
    const callee = await node(natsEngine({ servers: second.address, ignoreClusterUpdates: true }))
    await raceJoins(caller, callee, (name) => `frpc.race.${name}`)
  })

  describe('a connection of the application', () => {
    test('is used, and stays open', async () => {
      const { address } = await server()
      const connection = await connect({ servers: address, noEcho: true, maxReconnectAttempts: -1 })
      ends.push(() => connection.close())
      const one = await node(natsEngine({ connection }))
      const two = await node(natsEngine({ servers: address }))
      one.subscribe('given.room')
      await one.settled()
      two.publish('given.room', 'hello')
      one.publish('given.room', 'myself')
      await eventually(() => expect(one.textsOf('given.room')).toStrictEqual(['hello']))
      await one.engine.stop()
      expect(connection.isClosed()).toBe(false)
      expect(await two.engine.reach('given.room', 5_000)).toBe('no')
      // It serves the application as before.
      connection.subscribe('of-the-app', { callback: (_, message) => void message.respond('yes') })
      await connection.flush()
      const other = await connect({ servers: address })
      ends.push(() => other.close())
      expect((await other.request('of-the-app')).string()).toBe('yes')
    })

    test('that gets its own messages is refused', async () => {
      const connection = await connect({ servers: (await server()).address })
      ends.push(() => connection.close())
      const started = new EngineNode(natsEngine({ connection })).start()
      await expect(started).rejects.toThrow(/gets its own messages.*noEcho: true/)
      await expect(started).rejects.toBeInstanceOf(RpcConfigError)
      expect(connection.isClosed()).toBe(false)
    })

    test('that is closed is down, and says so', async () => {
      const connection = await connect({ servers: (await server()).address, noEcho: true })
      const one = await node(natsEngine({ connection }))
      await connection.close()
      await one.reached(['up', 'down'])
      expect(() => one.publish('room', 'text')).toThrow(/closed, and does not connect again/)
      one.subscribe('room')()
    })

    test('must be one', () => {
      expect(() => natsEngine({ connection: Promise.resolve() as never })).toThrow(/await it/)
      expect(() => natsEngine(undefined as never)).toThrow(RpcConfigError)
    })
  })

  test('a server that is not there is named', async () => {
    const port = await freePort()
    const started = new EngineNode(natsEngine({ servers: `127.0.0.1:${port}` })).start()
    await expect(started).rejects.toThrow(`NATS at 127.0.0.1:${port} can't be used`)
    await expect(started).rejects.toMatchObject({ outcome: 'not-sent' })
  })

  describe('permissions', () => {
    const config = `
      authorization {
        users: [{
          user: node, password: secret
          permissions: {
            publish: ["frpc.chat.>", "_INBOX.>"]
            subscribe: ["frpc.chat.>", "_INBOX.>"]
          }
        }]
      }`

    test('for its own namespace are enough', async () => {
      const { address: servers } = await start({ config })
      const own = { servers, user: 'node', pass: 'secret' }
      const [one, two] = [await node(natsEngine(own)), await node(natsEngine(own))]
      two.subscribe('frpc.chat.x')
      await two.settled()
      one.publish('frpc.chat.x', 'hello')
      await one.settled()
      await eventually(() => expect(two.textsOf('frpc.chat.x')).toStrictEqual(['hello']))
      expect(await one.engine.reach('frpc.chat.x', 5_000)).toBe('yes')
      expect(await one.engine.reach('frpc.chat.y', 5_000)).toBe('no')
      expect(one.states).toStrictEqual(['up'])
    })

    test.each([
      ['publish to', (one: EngineNode) => one.publish('frpc.shop.x', 'text')],
      ['subscribe to', (one: EngineNode) => one.subscribe('frpc.shop.x')],
    ])('that are missing to %s a subject make the engine down', async (what, act) => {
      const { address: servers } = await start({ config })
      const one = await node(natsEngine({ servers, user: 'node', pass: 'secret' }))
      act(one)
      await one.reached(['up', 'down'])
      expect(() => one.publish('frpc.shop.x', 'text')).toThrow(
        `NATS does not permit to ${what} "frpc.shop.x"`,
      )
      expect(() => one.publish('frpc.shop.x', 'text')).toThrow(RpcDisconnectedError)
    })

    test('a wrong password is told', async () => {
      const { address: servers } = await start({ config })
      const started = new EngineNode(natsEngine({ servers, user: 'node', pass: 'wrong' })).start()
      await expect(started).rejects.toThrow(/can't be used: .*[Aa]uthorization/)
    })
  })

  test('TLS and its certificates pass through', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flashrpc-nats-'))
    ends.push(() => rm(folder, { recursive: true }))
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const files = `cert_file: "${join(folder, 'cert.pem')}", key_file: "${join(folder, 'key.pem')}"`
    const { address } = await start({ config: `tls { ${files} }` })
    const own = { servers: `tls://${address}`, tls: { ca: cert } }
    const [one, two] = [await node(natsEngine(own)), await node(natsEngine(own))]
    two.subscribe('frpc.chat.x')
    await two.settled()
    one.publish('frpc.chat.x', 'hello')
    await eventually(() => expect(two.textsOf('frpc.chat.x')).toStrictEqual(['hello']))
    const unknown = new EngineNode(natsEngine({ servers: `tls://${address}`, tls: {} })).start()
    await expect(unknown).rejects.toThrow(/can't be used: .*self-signed/)
  })
})
