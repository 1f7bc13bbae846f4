import './support/register.js'
import { createRpcHooks, RpcProvider, useRpc, useRpcMethod, useRpcState } from '@flashrpc/react'
import { expectTypeOf } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'

/** Type tests: tsc checks them, nobody runs them. */
export function TypeTests() {
  const rpc = useRpc()
  expectTypeOf(rpc.add).parameter(0).toEqualTypeOf<{ a: number; b: number }>()
  expectTypeOf(rpc.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error the contract has no such method
  rpc.subtract
  // @ts-expect-error b is missing
  void rpc.add({ a: 1 })

  useRpcMethod('confirm', ({ text }, { channel, signal }) => {
    expectTypeOf(text).toBeString()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    expectTypeOf(channel.other.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>()
    return 'yes'
  })
  // @ts-expect-error the answer is 'yes' or 'no'
  useRpcMethod('confirm', () => 'maybe')
  // @ts-expect-error the server's methods are not the page's
  useRpcMethod('add', () => 1)

  expectTypeOf(useRpcState((state) => state.retryAt)).toEqualTypeOf<number | null>()
  expectTypeOf(useRpcState().status).toExtend<string>()

  const hooks = createRpcHooks(contract)
  expectTypeOf(hooks.useRpc()).toEqualTypeOf<ReturnType<typeof useRpc>>()
  return (
    <>
      <RpcProvider url="ws://localhost" contract={contract} />
      <hooks.RpcProvider url="ws://localhost" />
      {/* @ts-expect-error a url or a client or a transport is needed */}
      <RpcProvider />
    </>
  )
}
