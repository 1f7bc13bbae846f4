import { RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'

/** The error of an engine or a store that can't begin; an error about its options is kept as it is. */
export function redisUnusable(cause: unknown): RpcConfigError | RpcDisconnectedError {
  if (cause instanceof RpcConfigError) return cause
  const why = cause instanceof Error ? cause.message || cause.name : String(cause)
  return new RpcDisconnectedError(
    `Redis can't be used: ${why}. Check that redis-server runs where the clients connect to, and their credentials`,
    'not-sent',
    { cause },
  )
}
