import { RpcConfigError } from '@flashrpc/core'
import {
  assertMs,
  assertOptions,
  LEASE_MS,
  Lease,
  randomHex,
  SharedResults,
} from '@flashrpc/core/internal'
import type { BegunCall, ResultStore } from '@flashrpc/core/server'
import { type RedisClient, redisConnection } from './redis-client.js'
import type { RedisConnection } from './redis-connection.js'
import { redisUnusable } from './redis-unusable.js'
import { ScriptKeys } from './script-keys.js'

/** The options of `redisResultStore`. */
export interface RedisResultStoreOptions {
  /** The same as of `createCluster`: letters `a-z`, digits and `-`. All keys begin with `frpc:<app>:`. */
  app: string
  /** How long an answer is kept at least, in ms. Default one hour. */
  ttlMs?: number
}

/** A store of results that all nodes with the same `app` share. */
export interface RedisResultStore extends ResultStore {
  /** Ends it. Calls that still run here are uncertain for others, from 3 s later on. The client stays open. */
  close(): Promise<void>
}

const OPTIONS = { app: 'string', ttlMs: 'elsewhere' }

/**
 * Opens a store of results in Redis, so that a call with an idempotency key runs once on all nodes.
 *
 * A key whose node was killed before there was an answer is `unknown` from 3 s later on: its callers get
 * `RpcUncertainError`. What Redis itself loses (a restart without a file, a failover to a replica that was behind) is not
 * known to it: switch on `appendonly`, and use natsResultStore with replicas if a call must never run twice.
 *
 * @param client of `ioredis` or of `redis`, for commands. It must not be the subscriber of an engine.
 * @throws {RpcConfigError} if an option is wrong, or Redis removes keys to make room (`maxmemory-policy`).
 * @throws {RpcDisconnectedError} if Redis can't be reached, or refuses the commands.
 */
export async function redisResultStore(
  client: RedisClient,
  options: RedisResultStoreOptions,
): Promise<RedisResultStore> {
  const connection = redisConnection('redisResultStore: client', client)
  assertOptions('redisResultStore', options, OPTIONS)
  const { app, ttlMs = 60 * 60_000 } = options
  if (typeof app !== 'string' || !/^[a-z0-9-]{1,32}$/.test(app)) {
    throw new RpcConfigError('redisResultStore: app must be 1 to 32 characters of a-z, 0-9 and "-"')
  }
  assertMs('redisResultStore: ttlMs', ttlMs)
  const store = new KeyResultStore(connection, `frpc:${app}:`, ttlMs)
  try {
    await connection.open()
    await refuseEviction(connection)
    await store.open()
  } catch (error) {
    throw redisUnusable(error)
  }
  return store
}

class KeyResultStore implements RedisResultStore {
  readonly ttlMs: number
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #owner = randomHex(16)
  readonly #lease = new Lease(() => this.#renew())
  readonly #results: SharedResults
  #id = ''

  constructor(connection: RedisConnection, prefix: string, ttlMs: number) {
    this.#connection = connection
    this.#prefix = prefix
    this.ttlMs = ttlMs
    const id = () => this.#id
    const space = {
      prefix,
      // The wall clock of the server may be set, and an answer may come late.
      keepMs: 2 * ttlMs,
      get id() {
        return id()
      },
    }
    const isAlive = async (owner: string) => {
      const isThere = Number(await connection.command('EXISTS', this.#ownerKey(owner))) > 0
      return isThere || !this.#lease.isEstablished
    }
    this.#results = new SharedResults(new ScriptKeys(connection, space, isAlive), this.#owner)
  }

  /** Another one, if Redis has lost its keys. */
  get id(): string {
    return this.#id
  }

  open(): Promise<void> {
    return this.#lease.start()
  }

  begin(key: string, fingerprint: string, _?: string, node?: string): Promise<BegunCall> {
    return this.#results.begin(key, fingerprint, node)
  }

  finish(key: string, answer: string): Promise<void> {
    return this.#results.finish(key, answer)
  }

  release(key: string): Promise<void> {
    return this.#results.release(key)
  }

  async close(): Promise<void> {
    this.#lease.end()
    await this.#connection.command('DEL', this.#ownerKey(this.#owner)).catch(() => {}) // It ends by itself.
  }

  async #renew(): Promise<void> {
    const key = `${this.#prefix}id`
    await this.#connection.command('SET', this.#ownerKey(this.#owner), '', 'PX', String(LEASE_MS))
    await this.#connection.command('SET', key, randomHex(32), 'NX')
    this.#id = String(await this.#connection.command('GET', key))
  }

  #ownerKey(owner: string): string {
    return `${this.#prefix}o:${owner}`
  }
}

/** @throws {RpcConfigError} if Redis removes keys before their time. */
async function refuseEviction(connection: RedisConnection): Promise<void> {
  let info: string
  try {
    info = String(await connection.command('INFO', 'memory'))
  } catch {
    return // An ACL may not permit it.
  }
  const most = /^maxmemory:(\d+)/m.exec(info)?.[1] ?? '0'
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  if (most === '0' || policy === 'noeviction') return
  throw new RpcConfigError(
    `redisResultStore: this Redis removes keys to make room (maxmemory-policy ${policy}), and a call whose key is gone would run again. Set it to noeviction`,
  )
}
