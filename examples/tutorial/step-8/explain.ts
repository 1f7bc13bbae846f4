import { RpcDisconnectedError, RpcError, RpcTimeoutError } from '@flashrpc/core'

export function explain(error: unknown): string {
  if (error instanceof RpcTimeoutError || error instanceof RpcDisconnectedError) {
    if (error.outcome === 'maybe-executed') {
      return 'It may have been published. Look before you try again.'
    }
    // The client has stopped, for example because the token is wrong: the message says why.
    const hasStopped = error instanceof RpcDisconnectedError && error.outcome === 'not-sent'
    return hasStopped ? error.message : 'It was not published. Try again.'
  }
  if (error instanceof RpcError) return `${error.message} (code ${error.code})`
  return String(error)
}
