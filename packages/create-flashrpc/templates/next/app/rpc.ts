'use client'

import { createRpcHooks } from '@flashrpc/react'
import { contract } from '../rpc/contract.ts'

/** The hooks, with the types of the contract. */
export const { RpcProvider, useRpc, useRpcCall, useRpcMethod, useRpcState, useRpcStream } =
  createRpcHooks(contract)
