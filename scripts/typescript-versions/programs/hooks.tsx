import { createRpcHooks, RpcProvider, useRpc, useRpcMethod, useRpcState } from '@flashrpc/react'
import { RpcDevtools } from '@flashrpc/react/devtools'
import { rpcQueryKey, rpcQueryOptions } from '@flashrpc/react/query'
import { createTestServer } from '@flashrpc/react/testing'
import { useQuery } from '@tanstack/react-query'
import { client } from './client.js'
import { contract } from './contract.js'

/** Components, right ones and wrong ones, whatever `strict` is. */

declare module '@flashrpc/react' {
  interface Register {
    contract: typeof contract
  }
}

export function Page() {
  const rpc = useRpc()
  const status = useRpcState((state) => state.status)
  useRpcMethod('confirm', ({ text }) => (window.confirm(text) ? 'yes' : 'no'))
  useRpcMethod('shape', () => ({ kind: 'circle', sides: ['a'] }))
  useRpcMethod('shape', async () => ({ kind: 'circle', sides: ['a'] }))
  useRpcMethod('toast', async ({ text }, { channel }) => channel.other.log({ line: text }))
  const sum = useQuery(rpcQueryOptions(client, 'add', { a: 1, b: 2 }))
  const total: number | undefined = sum.data
  // @ts-expect-error: there is no such method
  rpc.sub
  // @ts-expect-error: a wrong answer
  useRpcMethod('confirm', () => 'maybe')
  // @ts-expect-error: a wrong literal inside an answer
  useRpcMethod('shape', () => ({ kind: 'triangle', sides: [] }))
  return (
    <button type="button" onClick={async () => console.log(await rpc.add({ a: 1, b: 2 }))}>
      {status} {total}
    </button>
  )
}

export const hooks = createRpcHooks(contract)

export function Ticks() {
  const { latest, items, restart } = hooks.useRpcStream('ticks', { everyMs: 100 }, { keep: 5 })
  const upload = hooks.useRpcCall('color')
  const color: 'red' | 'green' | undefined = upload.data
  // @ts-expect-error: an item has no such member
  console.log(latest?.loudness)
  // @ts-expect-error: it is not a stream
  hooks.useRpcStream('add', { a: 1, b: 2 })
  return (
    <button type="button" onClick={restart}>
      {latest?.sound} of {items.length} {color}
    </button>
  )
}

export const App = () => (
  <RpcProvider url="ws://127.0.0.1:8000" contract={contract}>
    <Page />
    <RpcDevtools />
  </RpcProvider>
)
export const key = rpcQueryKey('add', { a: 1, b: 2 })
export const server = createTestServer
