import { RpcConfigError } from '@flashrpc/core'
import type { ClusterEngine, EngineEvents, Reach } from '@flashrpc/core/cluster'
import { assertOptions, assertPayload, assertSubject, EngineState } from '@flashrpc/core/internal'
import { PayloadMarks } from './marked-payload.js'
import { OrderedCommands } from './ordered-commands.js'
import { type RedisClient, redisConnection } from './redis-client.js'
import type { RedisConnection } from './redis-connection.js'
import { redisUnusable } from './redis-unusable.js'

/** The options of `redisEngine`. */
export interface RedisEngineOptions {
  /** A connection for commands. The application may use it for others, too. It is cut if Redis is silent for 3 s. */
  readonly publisher: RedisClient
  /** Another connection to the same server, for subscriptions only. */
  readonly subscriber: RedisClient
}

/** Redis takes 512 MiB; larger messages would fill the buffers of slow nodes, which Redis cuts off then. */
const MAX_PAYLOAD = 1024 * 1024
/** How many subjects are subscribed to by one command. */
const CHANNELS_AT_ONCE = 1_000
/** How long a server may take to answer when the engine starts, in ms. */
const START_MS = 5_000
/** How often the connections are tried, in ms, and after how many tries without an answer they are down. */
const PING_MS = 1_000
const SILENT_PINGS = 3
/** After how many further tries the connections are made anew again. */
const RENEW_PINGS = 10
/** How long after a refusal the engine tries again, in ms. */
const REFUSED_MS = 5_000

/**
 * Makes the engine of a cluster over publish and subscribe of Redis, or Valkey: one server, or a primary with Sentinel. It
 * takes two clients of `ioredis` or of `redis`, and leaves them open when it stops. They must connect again by themselves,
 * which is their default, but every 100 ms: by default they wait for 2 s or more, and a node that comes back later than
 * `graceMs` after the others counts as lost.
 *
 * A Redis Cluster is refused at the start. For nodes that fall behind, set
 * `client-output-buffer-limit pubsub 32mb 8mb 60` or more.
 *
 * @throws {RpcConfigError} if an option is missing or wrong.
 * @example
 * const publisher = new Redis('redis://127.0.0.1:6379', { retryStrategy: () => 100 })
 * createCluster({ engine: redisEngine({ publisher, subscriber: publisher.duplicate() }), app: 'chat' })
 */
export function redisEngine(options: RedisEngineOptions): ClusterEngine {
  assertOptions('redisEngine', options, { publisher: 'elsewhere', subscriber: 'elsewhere' })
  const { publisher, subscriber } = options
  const connections = [
    redisConnection('redisEngine: publisher', publisher),
    redisConnection('redisEngine: subscriber', subscriber),
  ] as const
  if (publisher === subscriber) {
    throw new RpcConfigError(
      'redisEngine: publisher and subscriber must be two connections, as one that is subscribed takes no other commands: use publisher.duplicate()',
    )
  }
  return new RedisEngine(...connections)
}

class RedisEngine implements ClusterEngine {
  readonly name = 'redis'
  readonly maxPayload = MAX_PAYLOAD
  readonly #publisher: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #state = new EngineState('redis')
  readonly #marks = new PayloadMarks()
  readonly #commands = new OrderedCommands((error) => this.#refuse(error))
  /** Subjects that the client may subscribe to by itself when it connects again. */
  readonly #known = new Set<string>()
  readonly #unfollow: (() => void)[] = []
  #pings: ReturnType<typeof setInterval> | undefined
  #unanswered = 0
  #isPinged = false
  /** Whether the server was found to be usable. */
  #isStarted = false
  #retry: ReturnType<typeof setTimeout> | undefined
  /** Counts the attempts to join, of which only the latest may succeed. */
  #attempt = 0

  constructor(publisher: RedisConnection, subscriber: RedisConnection) {
    this.#publisher = publisher
    this.#subscriber = subscriber
  }

  get bufferedBytes(): number {
    return this.#commands.bytes
  }

  async start(events: EngineEvents): Promise<void> {
    this.#state.start(events)
    for (const connection of [this.#publisher, this.#subscriber]) {
      const unfollow = connection.follow({
        message: (channel, marked) => this.#message(channel, marked),
        ready: () => {
          if (this.#isStarted) this.#join()
        },
        lost: (why) => this.#down(why),
      })
      this.#unfollow.push(unfollow)
    }
    try {
      await within(START_MS, Promise.all([this.#publisher.open(), this.#subscriber.open()]))
      await within(START_MS, this.#refuseCluster())
      this.#isStarted = true
      await within(START_MS, this.#subscribeAll(++this.#attempt))
      // A connection was lost before all subscriptions stood.
      if (!this.#state.isUp && !this.#state.isStopped) throw new Error('the connection was lost')
    } catch (error) {
      for (const unfollow of this.#unfollow.splice(0)) unfollow()
      throw redisUnusable(error)
    }
    if (!this.#state.isStopped) this.#pings = setInterval(() => this.#ping(), PING_MS)
  }

  publish(subject: string, payload: Uint8Array): void {
    assertSubject(subject)
    assertPayload(this.name, payload, MAX_PAYLOAD)
    this.#state.assertUp()
    const marked = this.#marks.mark(payload)
    const send = () => this.#publisher.command('PUBLISH', channelOf(subject), marked)
    this.#commands.add('publisher', send, payload.byteLength)
  }

  subscribe(subject: string): () => void {
    const channel = channelOf(subject)
    return this.#state.subscribe(
      subject,
      () => {
        // If it is down, it is subscribed to when it is up.
        if (!this.#state.isUp) return
        this.#known.add(subject)
        this.#commands.add('subscriber', () => this.#subscriber.subscribe([channel]))
      },
      () => {
        if (!this.#state.isUp) return
        this.#known.delete(subject)
        this.#commands.add('subscriber', () => this.#subscriber.unsubscribe(channel))
      },
    )
  }

  barrier(): Promise<void> {
    return this.#state.answered(async () => {
      await this.#commands.settled()
      await this.#subscriber.command('PING')
    })
  }

  reach(subject: string, ms: number): Promise<Reach> {
    return this.#state.reach(subject, ms, () => {
      return new Promise((resolve, reject) => {
        // Among the commands, so that it is known whether this node is one of those who are subscribed.
        const own = this.#state.has(subject) ? 1 : 0
        this.#commands.add('publisher', async () => {
          try {
            const channel = channelOf(subject)
            const answer = await this.#publisher.command('PUBSUB', 'NUMSUB', channel)
            resolve(subscribers(answer) > own)
          } catch (error) {
            reject(error)
          }
        })
      })
    })
  }

  async stop(): Promise<void> {
    if (this.#state.isStopped) return
    this.#state.stop()
    clearInterval(this.#pings)
    clearTimeout(this.#retry)
    const channels = [...this.#state.subjects].map(channelOf)
    await this.#state.letOut(async () => {
      await this.#commands.settled()
      for (const channel of channels) {
        this.#commands.add('subscriber', () => this.#subscriber.unsubscribe(channel))
      }
      await this.#commands.settled()
    })
    for (const unfollow of this.#unfollow.splice(0)) unfollow()
    this.#commands.reset()
    this.#state.end()
  }

  #message(channel: string, marked: Uint8Array): void {
    const payload = this.#marks.read(marked)
    if (payload) this.#state.message(channel.replaceAll(':', '.'), payload)
  }

  /** Once both connections are there, subscribes to all again; then the engine is up. */
  #join(): void {
    clearTimeout(this.#retry)
    const attempt = ++this.#attempt
    if (this.#state.isStopped || !this.#publisher.isReady || !this.#subscriber.isReady) return
    this.#subscribeAll(attempt).catch((error: unknown) => {
      if (attempt === this.#attempt) this.#refuse(error)
    })
  }

  /**
   * Makes the subscriptions of the client those of the engine, and repeats that if these change before it is done.
   * Then the engine is up, unless another attempt has begun.
   */
  async #subscribeAll(attempt: number): Promise<void> {
    const done = new Set<string>()
    await Promise.all([this.#publisher.command('PING'), this.#subscriber.command('PING')])
    while (attempt === this.#attempt) {
      const missing = [...this.#state.subjects].filter((subject) => !done.has(subject))
      const left = [...this.#known].filter((subject) => !this.#state.has(subject))
      if (missing.length === 0 && left.length === 0) return this.#state.up()
      for (let i = 0; i < missing.length; i += CHANNELS_AT_ONCE) {
        const some = missing.slice(i, i + CHANNELS_AT_ONCE)
        for (const subject of some) this.#known.add(subject)
        await this.#subscriber.subscribe(some.map(channelOf))
        for (const subject of some) done.add(subject)
      }
      for (const subject of left) {
        await this.#subscriber.unsubscribe(channelOf(subject))
        this.#known.delete(subject)
        done.delete(subject)
      }
    }
  }

  #down(why: string): void {
    this.#attempt++
    this.#commands.reset()
    this.#state.down(why)
  }

  /** A command failed while the connections were there: all is refused, as nothing is known to arrive. */
  #refuse(error: unknown): void {
    this.#down(
      `Redis refuses: ${messageOf(error)}. A node needs publish, subscribe, unsubscribe, ping and pubsub|numsub, with &frpc:<app>:*`,
    )
    clearTimeout(this.#retry)
    if (this.#state.isStopped) return
    this.#retry = setTimeout(() => this.#join(), REFUSED_MS)
    this.#retry.unref?.()
  }

  /**
   * Notices a server that is silent although its connections are there, and has others made: they may lead to another
   * server, or the network may have forgotten the old ones.
   */
  #ping(): void {
    const both = [this.#publisher, this.#subscriber]
    const isReady = both.every((each) => each.isReady)
    const silent = this.#unanswered - SILENT_PINGS
    if (isReady && silent === 0) {
      this.#down(`Redis has not answered for ${(SILENT_PINGS * PING_MS) / 1_000} s`)
    }
    // A client that is not ready connects by itself, and is left alone for longer.
    const isDue = silent === 0 ? isReady : silent > 0 && silent % RENEW_PINGS === 0
    if (isDue) for (const each of both) each.renew()
    this.#unanswered++
    if (!isReady || this.#isPinged) return
    this.#isPinged = true
    const answered = () => {
      this.#isPinged = false
      this.#unanswered = 0
      if (!this.#state.isUp) this.#join()
    }
    // If one fails, a connection was lost, which is told.
    Promise.all(both.map((each) => each.command('PING'))).then(answered, answered)
  }

  /** @throws {RpcConfigError} if the server is a part of a Redis Cluster. */
  async #refuseCluster(): Promise<void> {
    let info: string
    try {
      info = String(await this.#publisher.command('INFO', 'server'))
    } catch (error) {
      // An ACL may not permit it; the connection is there all the same.
      if (/NOPERM/.test(messageOf(error))) return
      throw error
    }
    if (!/redis_mode:cluster/.test(info)) return
    throw new RpcConfigError(
      'redisEngine: this server is a part of a Redis Cluster, which hands each message to all of its servers and can’t say who is subscribed. Use one primary, with Sentinel if need be',
    )
  }
}

function channelOf(subject: string): string {
  return subject.replaceAll('.', ':')
}

/** How many are subscribed, of an answer to PUBSUB NUMSUB for one channel. */
function subscribers(answer: unknown): number {
  // A client of RESP3 may make a map of it.
  if (answer instanceof Map) return Number([...answer.values()][0])
  if (Array.isArray(answer)) return Number(answer[1])
  return Number(Object.values(answer as object)[0])
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
