import { createRpcHooks } from '@flashrpc/react'
import { contract } from './contract.ts'

export const { RpcProvider, useRpcCall, useRpcMethod, useRpcState, useRpcStream } =
  createRpcHooks(contract)
