import { RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import type { ClusterEngine, EngineEvents, Reach } from '@flashrpc/core/cluster'
import { assertPayload, assertSubject, EngineState } from '@flashrpc/core/internal'
import {
  type ConnectionOptions,
  connect,
  createInbox,
  type Msg,
  type NatsConnection,
  NoRespondersError,
  PermissionViolationError,
  type Status,
  type Subscription,
} from '@nats-io/transport-node'
import { assertConnection } from './assert-connection.js'
import { FlushCount } from './flush-count.js'

/**
 * A connection that the application has made and keeps, or the options of one that the engine makes: `servers`, `tls`,
 * `user`, `pass`, `token`, `authenticator` and all others of `@nats-io/transport-node`.
 */
export type NatsEngineOptions =
  | {
      /** A connection of the application, which the engine does not close. */
      readonly connection: NatsConnection
    }
  | ConnectionOptions

/** The largest payload, until the server has named its limit. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024
/** How long the server may take to answer when the engine starts, in ms. */
const START_MS = 5_000
/** How long after a refusal subscriptions are tried again, in ms. */
const REFUSED_MS = 5_000

/** The default options of the engine's own connection. */
const DEFAULTS: ConnectionOptions = {
  reconnectTimeWait: 100,
  reconnectJitter: 100,
  reconnectJitterTLS: 100,
  // A server that is silent for 3 s counts as lost: earlier than nodes count as lost.
  pingInterval: 1_000,
  maxPingOut: 2,
}
/** Options that are always set: it reconnects for ever, and does not get its own messages. */
const ALWAYS: ConnectionOptions = {
  noEcho: true,
  reconnect: true,
  maxReconnectAttempts: -1,
  waitOnFirstConnect: false,
  ignoreAuthErrorAbort: true,
}

/**
 * Makes the engine of a cluster over NATS. It uses publish and subscribe only, not JetStream.
 *
 * A connection of the application must have been made with `noEcho: true` and `maxReconnectAttempts: -1`, and stays
 * open when the engine stops. A connection that the engine makes reconnects for ever, and notices after 3 s that its
 * server is silent (`pingInterval`, `maxPingOut`).
 *
 * @throws {RpcConfigError} if the options are not an object, or `connection` is not a connection.
 * @example
 * createCluster({ engine: natsEngine({ servers: 'nats://127.0.0.1:4222' }), app: 'chat' })
 */
export function natsEngine(options: NatsEngineOptions): ClusterEngine {
  if (typeof options !== 'object' || options === null) {
    throw new RpcConfigError('natsEngine takes { connection }, or the options of a connection')
  }
  if (!('connection' in options)) return new NatsEngine(options, undefined)
  const { connection } = options
  assertConnection('natsEngine', connection)
  return new NatsEngine({}, connection)
}

class NatsEngine implements ClusterEngine {
  readonly name = 'nats'
  readonly #options: ConnectionOptions
  readonly #state = new EngineState('nats')
  readonly #sent = new FlushCount(() => this.#flush())
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #isOwn: boolean
  #connection: NatsConnection | undefined
  #statuses: AsyncIterable<Status> | undefined
  #maxPayload = DEFAULT_MAX_PAYLOAD
  /** Set while the server has refused something. */
  #refused: ReturnType<typeof setTimeout> | undefined

  constructor(options: ConnectionOptions, connection: NatsConnection | undefined) {
    this.#options = options
    this.#connection = connection
    this.#isOwn = connection === undefined
  }

  get maxPayload(): number {
    return this.#maxPayload
  }

  get bufferedBytes(): number {
    return this.#sent.open
  }

  async start(events: EngineEvents): Promise<void> {
    this.#state.start(events)
    const connection = this.#connection ?? (await this.#connect())
    this.#connection = connection
    if (this.#state.isStopped) return void (await connection.close())
    try {
      await this.#check(connection)
    } catch (error) {
      if (this.#isOwn) await connection.close()
      throw error
    }
    this.#follow(connection)
    for (const subject of this.#state.subjects) this.#subscribe(subject)
    await this.#flush()
    this.#up()
  }

  publish(subject: string, payload: Uint8Array): void {
    assertSubject(subject)
    assertPayload(this.name, payload, this.#maxPayload)
    this.#state.assertUp()
    this.#connection?.publish(subject, payload)
    this.#sent.add(payload.byteLength)
  }

  subscribe(subject: string): () => void {
    return this.#state.subscribe(
      subject,
      () => this.#subscribe(subject),
      () => {
        this.#subscriptions.get(subject)?.unsubscribe()
        this.#subscriptions.delete(subject)
      },
    )
  }

  barrier(): Promise<void> {
    return this.#state.answered(() => this.#sent.flush())
  }

  reach(subject: string, ms: number): Promise<Reach> {
    return this.#state.reach(subject, ms, async () => {
      try {
        // It has a time of its own to be over: the question ends sooner.
        await this.#connection?.request(subject, undefined, { timeout: Math.max(1, ms) })
        return true
      } catch (error) {
        if (isNoResponders(error)) return false
        throw error
      }
    })
  }

  async stop(): Promise<void> {
    if (this.#state.isStopped) return
    this.#state.stop()
    clearTimeout(this.#refused)
    for (const subscription of this.#subscriptions.values()) {
      if (!this.#connection?.isClosed()) subscription.unsubscribe()
    }
    this.#subscriptions.clear()
    await this.#state.letOut(() => this.#flush())
    this.#sent.reset()
    stopFollowing(this.#statuses)
    if (this.#isOwn) await this.#connection?.close()
    this.#state.end()
  }

  async #connect(): Promise<NatsConnection> {
    const { servers = '127.0.0.1:4222' } = this.#options
    try {
      return await connect({ ...DEFAULTS, ...this.#options, ...ALWAYS })
    } catch (error) {
      const where = [servers].flat().join(', ')
      throw new RpcDisconnectedError(
        `NATS at ${where} can't be used: ${messageOf(error)}. Check that nats-server runs there, and the option servers and the credentials of natsEngine`,
        'not-sent',
        { cause: error },
      )
    }
  }

  /** Checks that the connection is there, that the server tells of subjects without subscribers, and that nothing echoes. */
  async #check(connection: NatsConnection): Promise<void> {
    const inbox = createInbox()
    let isEchoed = false
    const subscription = connection.subscribe(inbox, {
      callback: (error) => {
        // If the inbox may not be used, nothing is known of echoes.
        if (!error) isEchoed = true
      },
    })
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      connection.publish(inbox)
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer in ${START_MS} ms`)), START_MS)
      })
      await Promise.race([connection.flush(), late])
    } catch (error) {
      throw new RpcDisconnectedError(
        `The connection to NATS can't be used: ${messageOf(error)}`,
        'not-sent',
        { cause: error },
      )
    } finally {
      clearTimeout(timer)
      if (!subscription.isClosed() && !connection.isClosed()) subscription.unsubscribe()
    }
    if (isEchoed) {
      throw new RpcConfigError(
        'natsEngine: the connection gets its own messages. Make it with connect({ noEcho: true, maxReconnectAttempts: -1, … })',
      )
    }
    if (connection.info?.headers === false) {
      throw new RpcConfigError(
        'natsEngine: this server can’t say whether anybody is subscribed. Use nats-server 2.2 or later, with headers',
      )
    }
  }

  /** Follows the state of the connection until it is closed. */
  #follow(connection: NatsConnection): void {
    const statuses = connection.status()
    this.#statuses = statuses
    void (async () => {
      for await (const status of statuses) {
        if (this.#state.isStopped) return
        this.#heed(status)
      }
    })()
  }

  #heed(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        return this.#down(`the connection to ${status.server} was lost`)
      case 'reconnect':
        // Subscriptions that were refused are tried again, as the permissions may be others now.
        if (this.#refused !== undefined) return this.#retry()
        return this.#up()
      case 'close':
        return this.#down('the connection was closed, and does not connect again')
      case 'error':
        if (status.error instanceof PermissionViolationError) this.#refuse(status.error)
    }
  }

  /** The server refuses a subject: nothing that is sent there arrives, so all of it is refused here. */
  #refuse({ operation, subject }: PermissionViolationError): void {
    if (!this.#isOwn && !this.#isMine(subject)) return
    this.#down(
      `NATS does not permit to ${operation === 'publish' ? 'publish to' : 'subscribe to'} "${subject}". A node needs both for frpc.<app>.> and _INBOX.>`,
    )
    clearTimeout(this.#refused)
    this.#refused = setTimeout(() => this.#retry(), REFUSED_MS)
    this.#refused.unref?.()
  }

  /** Whether a subject belongs to the same namespace as those that are subscribed to. */
  #isMine(subject: string): boolean {
    const namespace = namespaceOf(subject)
    for (const own of this.#state.subjects) if (namespaceOf(own) === namespace) return true
    return false
  }

  /** Makes all subscriptions again; the engine is up if the server refuses none of them. */
  #retry(): void {
    clearTimeout(this.#refused)
    this.#refused = undefined
    const connection = this.#connection
    if (this.#state.isStopped || !connection || connection.isClosed()) return
    for (const subject of this.#state.subjects) {
      this.#subscriptions.get(subject)?.unsubscribe()
      this.#subscribe(subject)
    }
    connection.flush().then(
      () => {
        if (this.#refused === undefined) this.#up()
      },
      () => {}, // The connection was lost: `reconnect` follows.
    )
  }

  #up(): void {
    this.#maxPayload = this.#connection?.info?.max_payload ?? this.#maxPayload
    this.#state.up()
  }

  #down(why: string): void {
    // The connection throws away what it has not written.
    this.#sent.reset()
    this.#state.down(why)
  }

  #subscribe(subject: string): void {
    const connection = this.#connection
    if (!connection || connection.isClosed()) return
    const callback = (error: Error | null, message: Msg) => {
      // An error is reported as a status, too.
      if (error) return
      // Only probes ask for an answer.
      if (message.reply) return void message.respond()
      // The data is a Buffer, whose functions differ from those of a Uint8Array.
      const { buffer, byteOffset, byteLength } = message.data
      this.#state.message(subject, new Uint8Array(buffer, byteOffset, byteLength))
    }
    this.#subscriptions.set(subject, connection.subscribe(subject, { callback }))
  }

  async #flush(): Promise<void> {
    await this.#connection?.flush()
  }
}

function stopFollowing(statuses: AsyncIterable<Status> | undefined): void {
  const { stop } = (statuses ?? {}) as { stop?: () => void }
  stop?.call(statuses)
}

function namespaceOf(subject: string): string {
  return subject.split('.', 2).join('.')
}

function isNoResponders(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true
  return error instanceof Error && error.cause instanceof NoRespondersError
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
