import { createRpcHooks } from '@flashrpc/react'
import { contract } from '../../contract.ts'

/** The hooks, with the types of the contract. */
export const { RpcProvider, useRpc, useRpcCall, useRpcMethod, useRpcState, useRpcStream } =
  createRpcHooks(contract)
