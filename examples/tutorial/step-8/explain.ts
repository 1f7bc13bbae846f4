import { RpcDisconnectedError, RpcError, RpcTimeoutError } from '@flashrpc/core'

export function explain(error: unknown): string {
  if (error instanceof RpcTimeoutError || error instanceof RpcDisconnectedError) {
    return error.outcome === 'maybe-executed'
      ? 'It may have been published. Look before you try again.'
      : 'It was not published. Try again.'
  }
  if (error instanceof RpcError) return `${error.message} (code ${error.code})`
  return String(error)
}
