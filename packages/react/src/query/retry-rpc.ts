import { RpcDisconnectedError, RpcOverloadedError, RpcTimeoutError } from '@flashrpc/core'
import { isRefusedOnServer } from '../server-rendering.js'

/**
 * Whether a query is worth another try, for a query client's `defaultOptions.queries.retry`: at most three more,
 * where the call was cut off, refused for being too much, or took too long. An answer that says why there is none
 * (invalid params, an unknown method, an error of the application's) would be the same again,
 * and so would the refusal of a client that connects in the page only, while a server renders.
 */
export function retryRpc(failureCount: number, error: unknown): boolean {
  const mayGoBetter =
    error instanceof RpcDisconnectedError ||
    error instanceof RpcOverloadedError ||
    error instanceof RpcTimeoutError
  return mayGoBetter && !isRefusedOnServer(error) && failureCount < 3
}
