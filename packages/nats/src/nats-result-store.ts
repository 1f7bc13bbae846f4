import { RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import {
  assertMs,
  assertOptions,
  LEASE_MS,
  Lease,
  randomHex,
  SharedResults,
} from '@flashrpc/core/internal'
import type { BegunCall, ResultStore } from '@flashrpc/core/server'
import type { KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { assertConnection } from './assert-connection.js'
import { BucketKeys } from './bucket-keys.js'

/** The options of `natsResultStore`. */
export interface NatsResultStoreOptions {
  /** The name of the bucket: letters, digits, `-` and `_`. Default `flashrpc_results`. */
  bucket?: string
  /** How long an answer is kept at least, in ms. Default one hour. */
  ttlMs?: number
  /** How many servers of a NATS cluster keep it: 1, 3 or 5. Default 1. */
  replicas?: number
  /** The storage of the bucket. Default `file`, which survives a restart of the server. */
  storage?: 'file' | 'memory'
}

/** A store of results that all nodes with the same bucket share. */
export interface NatsResultStore extends ResultStore {
  /** Ends it. Calls that still run here are uncertain for others, from 3 s later on. The connection stays open. */
  close(): Promise<void>
}

const OPTIONS = { bucket: 'string', ttlMs: 'elsewhere', replicas: 'number', storage: 'elsewhere' }

/**
 * Opens a store of results in a bucket of JetStream, so that a call with an idempotency key runs once on all nodes. It
 * makes the bucket, and another for the nodes (`<bucket>_owners`), unless they are there.
 *
 * A key whose node was killed before there was an answer is `unknown` from 3 s later on: its callers get
 * `RpcUncertainError`.
 *
 * @param connection one of `@nats-io/transport-node`. It needs the permissions `$JS.API.>`, `$KV.<bucket>.>`,
 *   `$KV.<bucket>_owners.>` and `_INBOX.>`.
 * @throws {RpcConfigError} if it is not a connection, an option is wrong, a package is missing, NATS has no JetStream, or
 *   the bucket keeps keys for a shorter time.
 * @throws {RpcDisconnectedError} if NATS does not answer.
 */
export async function natsResultStore(
  connection: NatsConnection,
  options: NatsResultStoreOptions = {},
): Promise<NatsResultStore> {
  assertConnection('natsResultStore', connection)
  assertOptions('natsResultStore', options, OPTIONS)
  const { bucket = 'flashrpc_results', ttlMs = 60 * 60_000 } = options
  const { replicas = 1, storage = 'file' } = options
  assertMs('natsResultStore: ttlMs', ttlMs)
  const manager = await open(connection)
  const shared = { history: 1, replicas, storage, allow_direct: false } as const
  // A server of before 2.11 knows one time for all keys of a bucket. An answer may come late in it.
  const results = await create(manager, bucket, { ...shared, ttl: ttlMs * 2 })
  const { ttl } = await results.status()
  if (ttl !== 0 && ttl < ttlMs * 2) {
    throw new RpcConfigError(
      `natsResultStore: the bucket "${bucket}" keeps keys for ${ttl} ms, and a ttlMs of ${ttlMs} needs ${ttlMs * 2}: delete it, or name another`,
    )
  }
  const owners = await create(manager, `${bucket}_owners`, { ...shared, ttl: LEASE_MS })
  const store = new BucketResultStore(bucket, ttlMs, results, owners)
  await store.open()
  return store
}

class BucketResultStore implements NatsResultStore {
  readonly ttlMs: number
  readonly #name: string
  readonly #bucket: KV
  readonly #owners: KV
  readonly #owner = randomHex(16)
  readonly #lease = new Lease(() => this.#renew())
  readonly #results: SharedResults
  #id = ''

  constructor(name: string, ttlMs: number, bucket: KV, owners: KV) {
    this.#name = name
    this.ttlMs = ttlMs
    this.#bucket = bucket
    this.#owners = owners
    const keys = new BucketKeys(bucket, async (owner) => {
      const entry = await owners.get(owner)
      return entry?.operation === 'PUT' || !this.#lease.isEstablished
    })
    this.#results = new SharedResults(keys, this.#owner)
  }

  /** Another bucket of the same name was made at another time. */
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
    await this.#owners.delete(this.#owner).catch(() => {}) // It ends by itself.
  }

  async #renew(): Promise<void> {
    await this.#owners.put(this.#owner, '')
    const { streamInfo } = await this.#bucket.status()
    this.#id = `${this.#name}@${streamInfo.created}`
  }
}

/** How long JetStream may take to answer, in ms. */
const ANSWER_MS = 2_000

/** The time that a bucket keeps its keys, with the options of all buckets. */
interface BucketOptions {
  readonly history: number
  readonly replicas: number
  readonly storage: 'file' | 'memory'
  readonly allow_direct: boolean
  readonly ttl: number
}

async function open(connection: NatsConnection): Promise<Kvm> {
  const [{ jetstream }, { Kvm }] = await Promise.all([
    import('@nats-io/jetstream'),
    import('@nats-io/kv'),
  ]).catch((cause: unknown) => {
    throw new RpcConfigError(
      'natsResultStore needs the packages @nats-io/kv and @nats-io/jetstream: install them',
      { cause },
    )
  })
  return new Kvm(jetstream(connection, { timeout: ANSWER_MS }))
}

async function create(manager: Kvm, name: string, options: BucketOptions): Promise<KV> {
  try {
    return await manager.create(name, options as Parameters<Kvm['create']>[1] & object)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (isAway(error)) {
      throw new RpcDisconnectedError(
        `natsResultStore can't open the bucket "${name}": ${why}. Check that nats-server runs where the connection leads to`,
        'not-sent',
        { cause: error },
      )
    }
    throw new RpcConfigError(
      `natsResultStore can't open the bucket "${name}": ${why}. Start nats-server with JetStream (-js), and permit $JS.API.> and $KV.${name}.>`,
      { cause: error },
    )
  }
}

/** Whether an error says that NATS does not answer. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return AWAY.has(error.name) || isAway(error.cause)
}

/** The names of the errors of `@nats-io/nats-core` that say so. */
const AWAY: ReadonlySet<string> = new Set([
  'TimeoutError',
  'ConnectionError',
  'ClosedConnectionError',
  'DrainingConnectionError',
])
