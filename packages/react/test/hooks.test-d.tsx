import './support/register.js'
import type { RpcError } from '@flashrpc/core'
import {
  createRpcHooks,
  RpcProvider,
  useRpc,
  useRpcCall,
  useRpcMethod,
  useRpcPresence,
  useRpcState,
  useRpcStream,
} from '@flashrpc/react'
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

  useRpcMethod('notify', () => {}, { waitForMount: 100 })

  const report = useRpcCall('report', { timeout: 100 })
  expectTypeOf(report.data).toEqualTypeOf<string | undefined>()
  expectTypeOf(report.progress).toEqualTypeOf<number | undefined>()
  expectTypeOf(report.error).toEqualTypeOf<RpcError | null>()
  expectTypeOf(report.call({ name: '', steps: 1 })).toEqualTypeOf<Promise<string>>()
  // @ts-expect-error steps are missing
  void report.call({ name: '' })
  const visits = useRpcCall('visits')
  expectTypeOf(visits.call()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(visits.progress).toEqualTypeOf<undefined>()
  // @ts-expect-error a stream
  useRpcCall('count')
  // @ts-expect-error a page's method
  useRpcCall('confirm')

  const count = useRpcStream(
    'count',
    { to: 5 },
    { keep: 5, onItem: (item) => expectTypeOf(item).toBeNumber() },
  )
  expectTypeOf(count.latest).toEqualTypeOf<number | undefined>()
  expectTypeOf(count.items).toEqualTypeOf<readonly number[]>()
  // @ts-expect-error params are missing
  useRpcStream('count')
  // @ts-expect-error no stream
  useRpcStream('add', { a: 1, b: 2 })

  const { members, unreached, status, restart } = useRpcPresence<{ name: string }>('room', {
    enabled: true,
  })
  expectTypeOf(members[0]?.info).toEqualTypeOf<{ name: string } | undefined>()
  expectTypeOf(members[0]?.methods).toEqualTypeOf<readonly string[] | undefined>()
  expectTypeOf(unreached).toEqualTypeOf<readonly string[]>()
  expectTypeOf(status).toEqualTypeOf<'idle' | 'waiting' | 'live' | 'failed'>()
  expectTypeOf(restart).toEqualTypeOf<() => void>()
  expectTypeOf(useRpcPresence('room').members[0]?.info).toEqualTypeOf<unknown>()
  // @ts-expect-error no such option
  useRpcPresence('room', { isEnabled: true })

  const hooks = createRpcHooks(contract)
  expectTypeOf(hooks.useRpcPresence).toEqualTypeOf<typeof useRpcPresence>()
  expectTypeOf(hooks.useRpcCall('report')).toEqualTypeOf<typeof report>()
  expectTypeOf(hooks.useRpcStream('count', { to: 1 })).toEqualTypeOf<typeof count>()
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
