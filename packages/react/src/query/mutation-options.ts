import type {
  AnyClient,
  At,
  CallOptions,
  Client,
  MethodName,
  ResultOf,
  RpcError,
} from '@flashrpc/core'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { mutationOptions, type UseMutationOptions } from '@tanstack/react-query'
import { tracedTo } from '../call-trace.js'
import type { ParamsOf } from '../params.js'
import { QUERY_CALL_OPTIONS } from './call-types.js'
import { type RpcQueryKeyOptions, rpcQueryKey } from './query-key.js'

/** How a mutation calls. */
export interface RpcMutationCallOptions<Params>
  extends Pick<CallOptions, 'timeout'>,
    RpcQueryKeyOptions {
  /**
   * Gives a mutation its idempotency key, so that the server runs it once, however often `retry` sends it. Make it
   * of the params, which stay the same: `({ orderId }) => orderId`.
   */
  idempotencyKey?: (params: Params) => string
  /** Is told how far a call has come. */
  onProgress?: (value: never) => unknown
}

const MUTATION_OPTIONS = {
  ...QUERY_CALL_OPTIONS,
  idempotencyKey: 'function',
  onProgress: 'function',
} as const satisfies OptionKinds<RpcMutationCallOptions<unknown>>

/**
 * A method's call as options of `useMutation`. Its key is `rpcQueryKey(method)`. It is not repeated, unless you
 * set `retry`: then give it an `idempotencyKey`, or look at `error.outcome`, which says whether a call may have run.
 *
 * @example
 * const { mutate } = useMutation(rpcMutationOptions(client, 'rename'))
 */
export function rpcMutationOptions<Local, Remote, K extends MethodName<Remote>>(
  client: Client<Local, Remote>,
  method: K,
  options?: RpcMutationCallOptions<ParamsOf<At<Remote, K>>>,
): UseMutationOptions<ResultOf<At<Remote, K>>, RpcError, ParamsOf<At<Remote, K>>>
export function rpcMutationOptions(
  client: AnyClient,
  method: string,
  mutationCallOptions: RpcMutationCallOptions<unknown> = {},
) {
  assertOptions('rpcMutationOptions', mutationCallOptions, MUTATION_OPTIONS, method)
  const { keyPrefix, idempotencyKey, ...options } = mutationCallOptions
  const traced = tracedTo(client, rpcMutationOptions)
  return mutationOptions<unknown, RpcError, unknown>({
    mutationKey: rpcQueryKey(method, undefined, { keyPrefix }),
    mutationFn: (params) =>
      client.call(method, params, {
        ...options,
        ...traced,
        ...(idempotencyKey && { idempotencyKey: idempotencyKey(params) }),
      }),
  })
}
