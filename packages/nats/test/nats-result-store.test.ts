import { RpcConfigError } from '@flashrpc/core'
import { type NatsResultStore, natsResultStore } from '@flashrpc/nats'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import { natsProgram, startNats } from '../../../scripts/engine-servers/nats-server.js'
import {
  describeResultStore,
  describeSharedStore,
} from '../../core/test/support/suite/describe-result-store.js'
import { startOwner } from '../../core/test/support/suite/owner-process.js'

const why = natsProgram.missing ? ` (skipped: ${natsProgram.missing})` : ''

describe.skipIf(natsProgram.missing)(`natsResultStore${why}`, () => {
  let server: EngineServer
  let connection: NatsConnection
  const stores: NatsResultStore[] = []

  const open = async (options: Parameters<typeof natsResultStore>[1] = { bucket: 'shared' }) => {
    const store = await natsResultStore(connection, options)
    stores.push(store)
    return store
  }

  beforeAll(async () => {
    server = await startNats({ jetStream: true })
    connection = await connect({
      servers: server.address,
      reconnectTimeWait: 50,
      maxReconnectAttempts: -1,
    })
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })
  afterAll(async () => {
    await connection?.close()
    await server?.[Symbol.asyncDispose]()
  })

  describeResultStore('NATS', open)
  describeSharedStore('NATS', open, (key) => {
    const program = new URL('support/owner-process.ts', import.meta.url)
    return startOwner(program, [server.address, 'shared', key])
  })

  test('survives a restart of the server, and has another id if its bucket is made again', async () => {
    const store = await open({ bucket: 'restarted' })
    const { id } = store
    await store.begin('done', 'f')
    await store.finish('done', 'paid')
    await store.begin('running', 'f')
    await server.terminate()
    await expect(store.begin('new', 'f')).rejects.toThrow()
    await server.restart()
    const answer = () => store.begin('done', 'f')
    await vi.waitFor(async () => expect(await answer()).toMatchObject({ answer: 'paid' }), 10_000)
    // It goes on running here, although nobody could say so for a while.
    const other = await open({ bucket: 'restarted' })
    expect(await other.begin('running', 'f')).toMatchObject({ state: 'running' })
    await store.finish('running', 'paid late')
    expect(await other.begin('running', 'f')).toMatchObject({ answer: 'paid late' })
    expect([store.id, other.id]).toStrictEqual([id, id])
    await (await jetstreamManager(connection)).streams.delete('KV_restarted')
    await expect(store.begin('lost', 'f')).rejects.toThrow()
    const again = await open({ bucket: 'restarted' })
    expect(again.id).not.toBe(id)
    await vi.waitFor(() => expect(store.id).toBe(again.id), 10_000)
  })

  test('keeps keys for twice their time, and refuses a bucket that does not', async () => {
    await open({ bucket: 'short', ttlMs: 10_000 })
    const manager = await jetstreamManager(connection)
    const { config } = await manager.streams.info('KV_short')
    expect(config.max_age).toBe(20_000 * 1e6)
    await open({ bucket: 'short', ttlMs: 5_000 })
    await expect(open({ bucket: 'short', ttlMs: 10_001 })).rejects.toThrow(
      /keeps keys for 20000 ms/,
    )
  })

  test.each([
    [{ ttlMs: 0 }, /ttlMs/],
    [{ buckets: 'a' } as never, /no option "buckets"/],
    [{ bucket: 'a b' }, /invalid bucket name/],
  ])('refuses %j', async (options, message) => {
    await expect(open(options)).rejects.toThrow(message)
    await expect(open(options)).rejects.toBeInstanceOf(RpcConfigError)
  })

  test('refuses what is no connection, such as the promise of one', async () => {
    for (const wrong of [undefined, Promise.resolve()]) {
      const opened = natsResultStore(wrong as never)
      await expect(opened).rejects.toThrow(/connection must be .* await it/)
      await expect(opened).rejects.toBeInstanceOf(RpcConfigError)
    }
  })

  test('says that NATS does not answer, or that its connection is closed', async () => {
    await using lost = await startNats({ jetStream: true })
    const other = await connect({ servers: lost.address, maxReconnectAttempts: -1 })
    const away = { name: 'RpcDisconnectedError', outcome: 'not-sent' }
    await lost.terminate()
    await expect(natsResultStore(other)).rejects.toMatchObject(away)
    await other.close()
    const opened = natsResultStore(other)
    await expect(opened).rejects.toMatchObject(away)
    await expect(opened).rejects.toThrow(/Check that nats-server runs/)
  })

  test('says that a server has no JetStream', async () => {
    await using plain = await startNats()
    const other = await connect({ servers: plain.address })
    try {
      await expect(natsResultStore(other)).rejects.toThrow(/Start nats-server with JetStream/)
    } finally {
      await other.close()
    }
  })
})
