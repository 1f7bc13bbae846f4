import { RpcDisconnectedError, RpcOverloadedError, RpcTimeoutError } from '@flashrpc/core'
import { isRefusedOnServer } from '../server-rendering.js'

/**
 * Whether a query is worth another try, for a query client's `defaultOptions.queries.retry`: at most three more
 * times, and only if the call was cut off, refused because of a limit, or took too long. An error that names another
 * reason (invalid params, an unknown method, an error of the application) would come again. So would the error of a
 * client that connects only in the page, while a server renders.
 */
export function retryRpc(failureCount: number, error: unknown): boolean {
  const mayGoBetter =
    error instanceof RpcDisconnectedError ||
    error instanceof RpcOverloadedError ||
    error instanceof RpcTimeoutError
  return mayGoBetter && !isRefusedOnServer(error) && failureCount < 3
}
