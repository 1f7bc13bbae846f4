import { RpcDisconnectedError, RpcOverloadedError, RpcTimeoutError } from '@flashrpc/core'

/**
 * Whether a query is worth another try, for a query client's `defaultOptions.queries.retry`: at most three more,
 * where the call was cut off, refused for being too much, or took too long. An answer that says why there is none
 * (invalid params, an unknown method, an error of the application's) would be the same again.
 */
export function retryRpc(failureCount: number, error: unknown): boolean {
  const mayGoBetter =
    error instanceof RpcDisconnectedError ||
    error instanceof RpcOverloadedError ||
    error instanceof RpcTimeoutError
  return mayGoBetter && failureCount < 3
}
