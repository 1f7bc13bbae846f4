import { createRpcHooks } from '@flashrpc/react'
import { contract } from '../contract.js'

export const { RpcProvider, useRpcCall, useRpcMethod, useRpcState, useRpcStream } =
  createRpcHooks(contract)
