import { RpcConfigError } from '@flashrpc/core'
import { type RedisResultStore, redisResultStore } from '@flashrpc/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import { redisProgram, startRedis } from '../../../scripts/engine-servers/redis-server.js'
import { freePort } from '../../../scripts/free-port.js'
import {
  describeResultStore,
  describeSharedStore,
} from '../../core/test/support/suite/describe-result-store.js'
import { startOwner } from '../../core/test/support/suite/owner-process.js'

const why = redisProgram.missing ? ` (skipped: ${redisProgram.missing})` : ''

describe.skipIf(redisProgram.missing)(`redisResultStore${why}`, () => {
  let server: EngineServer
  let client: Redis
  const stores: RedisResultStore[] = []

  const open = async (options: Parameters<typeof redisResultStore>[1] = { app: 'shared' }) => {
    const store = await redisResultStore(client, options)
    stores.push(store)
    return store
  }

  beforeAll(async () => {
    server = await startRedis()
    client = new Redis({ port: server.port, host: '127.0.0.1', retryStrategy: () => 50 })
    client.on('error', () => {})
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })
  afterAll(async () => {
    client?.disconnect()
    await server?.[Symbol.asyncDispose]()
  })

  describeResultStore('Redis, ioredis', open)
  describeSharedStore('Redis, ioredis', open, (key) => {
    const program = new URL('support/owner-process.ts', import.meta.url)
    return startOwner(program, [String(server.port), 'shared', key])
  })

  describe('over redis', () => {
    let other: ReturnType<typeof createClient>

    beforeAll(() => {
      other = createClient({ socket: { host: '127.0.0.1', port: server.port } })
      other.on('error', () => {})
    })
    afterAll(() => other?.destroy())

    describeResultStore('Redis, redis', async () => {
      const store = await redisResultStore(other, { app: 'other' })
      stores.push(store)
      return store
    })
  })

  test('a server that is not there is told of', async () => {
    const lost = new Redis({ port: await freePort(), lazyConnect: true })
    const opened = redisResultStore(lost, { app: 'shared' })
    await expect(opened).rejects.toThrow(/Redis can't be used: .*ECONNREFUSED.*redis-server runs/)
    await expect(opened).rejects.toMatchObject({ outcome: 'not-sent' })
    lost.disconnect()
  })

  test('uses keys of its app only, and keeps them for twice their time', async () => {
    const store = await open({ app: 'mine', ttlMs: 10_000 })
    await store.begin('a', 'f')
    const keys = await client.keys('frpc:mine:*')
    expect(keys.map((key) => key.split(':')[2]).toSorted()).toStrictEqual(['id', 'o', 'r'])
    const [result = ''] = keys.filter((key) => key.startsWith('frpc:mine:r:'))
    const left = await client.pttl(result)
    expect(left).toBeGreaterThan(10_000)
    expect(left).toBeLessThanOrEqual(20_000)
  })

  test('has another id if Redis has lost what it had, and runs nothing before it knows', async () => {
    const store = await open({ app: 'lost' })
    const { id } = store
    await store.begin('a', 'f')
    await client.flushall()
    await expect(store.begin('a', 'f')).rejects.toThrow(/has lost the results/)
    await vi.waitFor(() => expect(store.id).not.toBe(id), 10_000)
    expect((await open({ app: 'lost' })).id).toBe(store.id)
    expect(await store.begin('b', 'f')).toStrictEqual({ state: 'new' })
  })

  test('needs no more permissions than the guide says', async () => {
    const rule = ['on', '>secret', '~frpc:acl:*', '-@all', '+@connection']
    await client.call(
      'ACL',
      'SETUSER',
      'store',
      ...rule,
      '+eval',
      '+get',
      '+set',
      '+del',
      '+exists',
    )
    const limited = new Redis({
      host: '127.0.0.1',
      port: server.port,
      username: 'store',
      password: 'secret',
    })
    try {
      const store = await redisResultStore(limited, { app: 'acl' })
      stores.push(store)
      await store.begin('a', 'f')
      await store.finish('a', 'paid')
      expect(await store.begin('a', 'f')).toMatchObject({ answer: 'paid' })
      await store.begin('b', 'f')
      await store.release?.('b')
      await store.close()
    } finally {
      limited.disconnect()
    }
  })

  test('refuses a server that removes keys to make room', async () => {
    await client.config('SET', 'maxmemory', '100mb')
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    try {
      await expect(open()).rejects.toThrow(/maxmemory-policy allkeys-lru.*noeviction/)
    } finally {
      await client.config('SET', 'maxmemory-policy', 'noeviction')
      await client.config('SET', 'maxmemory', '0')
    }
  })

  test.each([
    [{ app: 'A b' }, /app must be/],
    [{} as never, /app must be/],
    [{ app: 'a', ttlMs: 0 }, /ttlMs/],
    [{ app: 'a', ttl: 5 } as never, /no option "ttl"/],
  ])('refuses %j', async (options, message) => {
    await expect(open(options)).rejects.toThrow(message)
    await expect(open(options)).rejects.toBeInstanceOf(RpcConfigError)
  })
})
