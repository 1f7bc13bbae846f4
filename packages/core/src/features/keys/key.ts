import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'

const MAX_CHARACTERS = 256

/** @returns what is wrong with the key of a request; undefined if it is right, or missing. */
export function whyNoKey(key: unknown, method: string): string | undefined {
  if (key === undefined || isKey(key)) return undefined
  return `the key of ${quoted(method)} must be text of 1 to ${MAX_CHARACTERS} characters`
}

/** Whether a value can be a key. */
function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_CHARACTERS
}

/**
 * @returns the key, checked.
 * @throws {RpcConfigError} if the key is invalid, or if the call is a stream or a notification.
 */
export function assertKey(
  method: string,
  key: unknown,
  kind: 'method' | 'stream' | 'notification',
): string | undefined {
  if (key === undefined) return undefined
  if (kind !== 'method') {
    const why =
      kind === 'stream'
        ? 'has a stream, and items are not kept: leave idempotencyKey out'
        : 'is a notification, which has no answer to keep: leave idempotencyKey out, or make it a method'
    throw new RpcConfigError(`"${method}" ${why}`, { method })
  }
  if (isKey(key)) return key
  throw new RpcConfigError(
    `The idempotencyKey of "${method}" must be text of 1 to ${MAX_CHARACTERS} characters, such as crypto.randomUUID()`,
    { method },
  )
}
