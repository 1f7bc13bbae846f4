import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../free-port.js'
import { EngineServer } from './engine-server.js'
import { redisProgram, redisSays, startRedis } from './redis-server.js'

/** The name of the primary, for clients of the Sentinel. */
const NAME = 'main'
/** After how long without an answer the Sentinel gives up the primary, in ms, once the test wants that. */
const DOWN_MS = 500
/** Before and after: a machine that is busy must not look like a dead primary. */
const NEVER_MS = 600_000

/** A primary of Redis, its replica, and a Sentinel that promotes the replica when the test says so. */
export class RedisWithSentinel implements AsyncDisposable {
  readonly name = NAME
  #primary: EngineServer | undefined
  #replica: EngineServer | undefined
  #sentinel: EngineServer | undefined

  /**
   * Starts the three, and waits until the Sentinel could promote the replica.
   *
   * @throws {Error} if there is no redis-server: {@link redisProgram} says so.
   */
  static async start(): Promise<RedisWithSentinel> {
    const all = new RedisWithSentinel()
    try {
      await all.#start()
    } catch (error) {
      await all[Symbol.asyncDispose]()
      throw error
    }
    return all
  }

  get primary(): EngineServer {
    return started(this.#primary)
  }

  get replica(): EngineServer {
    return started(this.#replica)
  }

  get sentinel(): EngineServer {
    return started(this.#sentinel)
  }

  /** Waits until the Sentinel has found out that the primary is gone, and has promoted the replica. */
  async promote(): Promise<void> {
    const { replica, sentinel } = this
    await this.#giveUpAfter(DOWN_MS)
    const promoted = new RegExp(`\\r\\n${replica.port}\\r\\n`)
    await redisSays(sentinel.port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${NAME}`, promoted)
    await this.#giveUpAfter(NEVER_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#sentinel, this.#replica, this.#primary]) {
      await server?.[Symbol.asyncDispose]()
    }
  }

  async #start(): Promise<void> {
    const primary = await startRedis(['--repl-diskless-sync-delay', '0'])
    this.#primary = primary
    const replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)])
    this.#replica = replica
    await redisSays(replica.port, 'INFO replication', /master_link_status:up/)
    const sentinel = await startSentinel(primary.port)
    this.#sentinel = sentinel
    const isUsable = /flags\r\n\$5\r\nslave\r\n.*master-link-status\r\n\$2\r\nok\r\n/s
    await redisSays(sentinel.port, `SENTINEL REPLICAS ${NAME}`, isUsable)
  }

  async #giveUpAfter(ms: number): Promise<void> {
    const { port } = this.sentinel
    await redisSays(port, `SENTINEL SET ${NAME} down-after-milliseconds ${ms}`, /^\+OK/)
  }
}

async function startSentinel(primary: number): Promise<EngineServer> {
  if (!redisProgram.path) throw new Error(redisProgram.missing)
  const free = await freePort()
  return EngineServer.start(redisProgram.path, {
    async args(folder, port = free) {
      const file = join(folder, 'sentinel.conf')
      const lines = [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${folder}`,
        `sentinel monitor ${NAME} 127.0.0.1 ${primary} 1`,
        `sentinel down-after-milliseconds ${NAME} ${NEVER_MS}`,
        `sentinel failover-timeout ${NAME} 5000`,
      ]
      await writeFile(file, `${lines.join('\n')}\n`)
      return [file, '--sentinel']
    },
    async listening(_folder, port = free) {
      await redisSays(port, 'PING', /./s)
      return port
    },
  })
}

function started(server: EngineServer | undefined): EngineServer {
  if (!server) throw new Error('The server was not started')
  return server
}
