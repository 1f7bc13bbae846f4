import type { MessageId } from '../wire/message.js'

/**
 * The point at which something failed:
 *
 * - `handler`: a handler threw, or what surrounds it (`use`, `authorize`).
 * - `params`: the params of a notification do not match its schema. (A call is answered, so its caller learns that.)
 * - `refused`: a notification was dropped: it has no handler, is not allowed, or exceeds a limit.
 * - `answer`: the result of a handler, or a stream's item, can't be sent.
 * - `progress`: progress can't be sent or does not match its schema, or a listener (`onProgress`) threw.
 * - `source`: the source of a stream or of an input failed while it was being ended.
 * - `send`: a notification can't be sent.
 * - `hook`: another function of the application threw: a hook, a listener, an option that is a function.
 * - `store`: the store of idempotency keys failed.
 * - `frame`: a frame or a message can't be read, or breaks the protocol.
 * - `connection`: the transport failed, or a connection was refused or lost.
 */
export type ErrorPhase =
  | 'handler'
  | 'params'
  | 'refused'
  | 'answer'
  | 'progress'
  | 'source'
  | 'send'
  | 'hook'
  | 'store'
  | 'frame'
  | 'connection'

/** Where something failed: the third argument of `onError`, the second of a logger's functions. */
export interface ErrorContext {
  /** The point at which it failed. */
  readonly phase: ErrorPhase
  /** The method, the notification or the stream; undefined if the failure is not one call's. */
  readonly method?: string | undefined
  /** The kind of the call; undefined if it has to do with no call. */
  readonly kind?: 'method' | 'notification' | 'stream' | undefined
  /** `in`: the other side has called; `out`: this side has called. */
  readonly direction?: 'in' | 'out' | undefined
  /** The id of the call's JSON-RPC request; undefined for notifications, which have none. */
  readonly id?: MessageId | undefined
  /** In the phase `hook`, the name of the function, such as `onConnect` or `subscribe`. */
  readonly hook?: string | undefined
}

/** The context of a call of the other side. */
export function incomingContext(
  {
    method,
    kind,
    id = null,
  }: Required<Pick<ErrorContext, 'kind'>> & { readonly method: string; readonly id?: MessageId },
  phase: ErrorPhase,
): ErrorContext {
  return {
    phase,
    method,
    kind,
    direction: 'in',
    ...(kind !== 'notification' && id !== null && { id }),
  }
}

/** The context of a call that was made here. */
export function outgoingContext(
  {
    method,
    kind,
    id,
  }: {
    readonly method: string
    readonly kind: 'method' | 'stream' | 'notification'
    readonly id?: MessageId
  },
  phase: ErrorPhase,
): ErrorContext {
  return {
    phase,
    method,
    kind,
    direction: 'out',
    ...(kind !== 'notification' && id !== undefined && { id }),
  }
}

/** The context of a function of the application that failed. */
export function hookContext(hook: string): ErrorContext {
  return { phase: 'hook', hook }
}

export const IN_FRAME: ErrorContext = { phase: 'frame', direction: 'in' }
export const OF_CONNECTION: ErrorContext = { phase: 'connection' }
