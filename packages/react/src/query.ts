export type { Cached, RpcQueryCallOptions } from './query/call-types.js'
export { type RpcMutationCallOptions, rpcMutationOptions } from './query/mutation-options.js'
export { type RpcQueryKey, type RpcQueryKeyOptions, rpcQueryKey } from './query/query-key.js'
export { rpcQueryOptions } from './query/query-options.js'
export { retryRpc } from './query/retry-rpc.js'
export {
  type Items,
  type RpcStreamedQueryOptions,
  rpcStreamedQueryOptions,
} from './query/streamed-query-options.js'
export { type Invalidates, useRpcInvalidation } from './query/use-rpc-invalidation.js'
