import type { ResponseMessage } from '../wire/message.js'

/** A call with an idempotency key. The caller may call it, its params are valid, and it has a handler. */
export interface KeyedCall {
  readonly key: string
  readonly method: string
  /** The params as they arrived. */
  readonly params: unknown
  readonly identity: unknown
  /** The owner of the connection, for limits that all clients share. */
  readonly owner: string | undefined
  /** Aborts when this caller cancels, and, with an `RpcDisconnectedError`, when its connection is lost. */
  readonly signal: AbortSignal
  /** Runs the handler with this signal. Never rejects. */
  run(signal: AbortSignal): Promise<ResponseMessage>
  /** Reports an error to the server that no answer reports to the caller. */
  error(error: unknown): void
}

/** @returns the answer of a call with a key, new or kept, whatever its id is. Never rejects. */
export type AnswerKeyed = (call: KeyedCall) => Promise<ResponseMessage>
