import type { ResponseMessage } from '../wire/message.js'

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
