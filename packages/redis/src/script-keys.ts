import { createHash } from 'node:crypto'
import type { SharedKeys, SharedValue } from '@flashrpc/core/internal'
import type { RedisConnection } from './redis-connection.js'

/** KEYS: the key, the store's id. ARGV: the id that is expected, the value, the one that is expected, ms. */
const PUT = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
local found = redis.call('GET', KEYS[1])
if found and found ~= ARGV[3] and found ~= ARGV[2] then return found end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
return ''`
/** KEYS: the key. ARGV: the value that is expected. */
const REMOVE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return ''`

/** The properties that all keys of a store share. */
export interface KeySpace {
  /** The prefix of all keys, such as `frpc:chat:`. */
  readonly prefix: string
  /** How long a key is kept after its latest change, in ms. */
  readonly keepMs: number
  /** The id of the store: it is in Redis, too, for as long as the keys are. */
  readonly id: string
}

/** Keys of Redis, each of which is changed by one script. The value of a key is its revision. */
export class ScriptKeys implements SharedKeys {
  readonly #connection: RedisConnection
  readonly #space: KeySpace
  readonly #isAlive: (owner: string) => Promise<boolean>

  constructor(
    connection: RedisConnection,
    space: KeySpace,
    isAlive: (owner: string) => Promise<boolean>,
  ) {
    this.#connection = connection
    this.#space = space
    this.#isAlive = isAlive
  }

  async put(
    key: string,
    value: string,
    expected = '',
  ): Promise<{ revision: string } | { found: SharedValue }> {
    const { prefix, id, keepMs } = this.#space
    const keys = [this.#nameOf(key), `${prefix}id`]
    const args = [id, value, expected, String(keepMs)]
    const found = String(await this.#connection.command('EVAL', PUT, '2', ...keys, ...args))
    if (found === 'lost') {
      throw new Error(
        'Redis has lost the results that it had: it was restarted without them, or emptied. Calls that began before are uncertain',
      )
    }
    return found === '' ? { revision: value } : { found: { value: found, revision: found } }
  }

  async remove(key: string, expected: string): Promise<void> {
    await this.#connection.command('EVAL', REMOVE, '1', this.#nameOf(key), expected)
  }

  isAlive(owner: string): Promise<boolean> {
    return this.#isAlive(owner)
  }

  /** @returns the name of a key in Redis. Its length and characters do not depend on the key. */
  #nameOf(key: string): string {
    return `${this.#space.prefix}r:${createHash('sha256').update(key).digest('base64url')}`
  }
}
