import type { Outgoing } from '../../calls/outbox.js'
import { RpcConfigError } from '../../errors/errors.js'
import type { ResponseMessage } from '../../wire/message.js'

/**
 * Calls with an idempotency key (docs/protocol.md, "Keys"): what a caller has to know of a server
 * before it sends one again, and what a server needs in order to run each once.
 */

/** What a server says in its hello of the results that it keeps. */
export interface Keys {
  /** Names the results that the client's keys lead to. */
  readonly store: string
  /** How long a result is kept at least, in ms. */
  readonly ttlMs: number
}

/** A call that came with a key. The caller may call it, its params are valid, it has a handler. */
export interface KeyedCall {
  readonly key: string
  readonly method: string
  /** As they came. */
  readonly params: unknown
  readonly identity: unknown
  /** The owner of the connection, for limits that all clients share. */
  readonly owner: string | undefined
  /** Aborts when this caller cancels, and, with an `RpcDisconnectedError`, when it is gone. */
  readonly signal: AbortSignal
  /** Runs the handler. Never rejects. The signal is the handler's. */
  run(signal: AbortSignal): Promise<ResponseMessage>
  /** Tells the server of what no answer tells the caller about. */
  error(error: unknown): void
}

/** @returns the answer of a call with a key, new or kept, whatever its id is. Never rejects. */
export type AnswerKeyed = (call: KeyedCall) => Promise<ResponseMessage>

/** Why a call with a key can't go to a server: it keeps no results, or not those of before. */
export type KeyRefusal = 'no-keys' | 'other-keys'

/** @returns why a message can't go to a server that says this of its results, where it can't. */
export function refusesKey({ call }: Outgoing, keys: Keys | undefined): KeyRefusal | undefined {
  if (call?.key === undefined) return undefined
  const { sentTo } = call
  if (!sentTo) return keys ? undefined : 'no-keys'
  // A result that is kept now may be forgotten before the message arrives, so only half of the time is trusted. Of
  // this side's two clocks, the one that shows more elapsed time counts.
  const isKept = keys?.store === sentTo.store && sentTo.since.most < keys.ttlMs / 2
  return isKept ? undefined : 'other-keys'
}

const MOST_CHARACTERS = 256

/** Whether a value can be a key. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MOST_CHARACTERS
}

/**
 * @returns the key, checked.
 * @throws {RpcConfigError} where it can't be one, or goes with what is not answered.
 */
export function assertKey(
  method: string,
  key: unknown,
  kind: 'call' | 'stream' | 'notification',
): string | undefined {
  if (key === undefined) return undefined
  if (kind !== 'call') {
    const why =
      kind === 'stream'
        ? 'has a stream, and items are not kept: leave idempotencyKey out'
        : 'is a notification, which has no answer to keep: leave idempotencyKey out, or make it a method'
    throw new RpcConfigError(`"${method}" ${why}`, { method })
  }
  if (isKey(key)) return key
  throw new RpcConfigError(
    `The idempotencyKey of "${method}" must be text of 1 to ${MOST_CHARACTERS} characters, such as crypto.randomUUID()`,
    { method },
  )
}
