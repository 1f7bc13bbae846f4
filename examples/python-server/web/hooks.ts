import { createRpcHooks } from '@flashrpc/react'
import { contract } from '../contract.js'

/** The provider and the hooks, with the types of the backend. */
export const { RpcProvider, useRpc, useRpcMethod, useRpcState } = createRpcHooks(contract)
