import './support/register.js'
import { RpcProvider, useRpc, useRpcState, useRpcStore } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { useEffect } from 'react'
import { afterEach, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

afterEach(cleanup)

test('a selected value that stays the same renders nothing again', async () => {
  await using server = await startServer()
  let renders = 0
  let rpc: ReturnType<typeof useRpc> | undefined
  const Status = () => {
    rpc = useRpc()
    renders++
    return <output>{useRpcState((state) => state.status)}</output>
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Status />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  const before = renders
  await Promise.all(Array.from({ length: 50 }, (_, n) => rpc?.add({ a: n, b: n })))
  expect(renders).toBe(before)
})

test('who calls when the store changes is told a change of status once, and not for ever', async () => {
  await using server = await startServer()
  let told = 0
  const Caller = () => {
    const rpc = useRpc()
    const store = useRpcStore()
    useEffect(
      () =>
        store.subscribe(({ status }) => {
          if (status === 'connected' && ++told < 1_000) void rpc.add({ a: 1, b: 2 })
        }),
      [rpc, store],
    )
    return <output>{useRpcState(({ status }) => status)}</output>
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Caller />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(told).toBeGreaterThan(0)
  expect(told).toBeLessThan(16)
})

test('objects and arrays that a selector makes are compared by their members', async () => {
  await using server = await startServer()
  let renders = 0
  let rpc: ReturnType<typeof useRpc> | undefined
  const Status = () => {
    rpc = useRpc()
    renders++
    const { status, isFirst } = useRpcState((state) => ({
      status: state.status,
      isFirst: !state.resumed,
    }))
    const [queued] = useRpcState((state) => [state.queued])
    return <output>{`${status} ${isFirst} ${queued}`}</output>
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Status />
    </RpcProvider>,
  )
  await screen.findByText('connected true 0')
  const before = renders
  await Promise.all(Array.from({ length: 50 }, (_, n) => rpc?.add({ a: n, b: n })))
  expect(renders).toBe(before)
})

test('an error is another one, however alike', async () => {
  await using server = await startServer()
  const errors = new Set<unknown>()
  const LastError = () => {
    errors.add(useRpcState((state) => state.lastError))
    return null
  }
  await server.stop()
  render(
    <RpcProvider url={server.url} contract={contract} retry={{ minDelayMs: 1, maxDelayMs: 5 }}>
      <LastError />
    </RpcProvider>,
  )
  await expect.poll(() => errors.size).toBeGreaterThan(2)
})

test('without a selector it is the whole state', async () => {
  await using server = await startServer()
  const State = () => <pre>{JSON.stringify(useRpcState())}</pre>
  render(
    <RpcProvider url={server.url} contract={contract}>
      <State />
    </RpcProvider>,
  )
  await expect
    .poll(() => JSON.parse(document.querySelector('pre')?.textContent ?? '{}'))
    .toMatchObject({ status: 'connected', attempt: 0, retryAt: null, lastError: null, queued: 0 })
})

test('the countdown is there while reconnecting: attempt, retryAt and the error', async () => {
  await using server = await startServer()
  let store: ReturnType<typeof useRpcStore> | undefined
  const Status = () => {
    store = useRpcStore()
    return <output>{useRpcState((state) => state.status)}</output>
  }
  render(
    <RpcProvider url={server.url} contract={contract} retry={{ minDelayMs: 1, maxDelayMs: 100 }}>
      <Status />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  await server.stop()
  await expect.poll(() => store?.getState().attempt).toBeGreaterThan(1)
  await expect.poll(() => store?.getState().retryAt).toBeTypeOf('number')
  expect(store?.getState().lastError?.message).toContain(server.url)
})

test('the store is one for each client, and idle to begin with', async () => {
  await using server = await startServer()
  const stores = new Set<unknown>()
  const Store = () => {
    const store = useRpcStore()
    stores.add(store)
    return <output>{store.getInitialState().status}</output>
  }
  const provider = (
    <RpcProvider url={server.url} contract={contract}>
      <Store />
      <Store />
    </RpcProvider>
  )
  render(
    <>
      {provider}
      {provider}
    </>,
  )
  expect(stores.size).toBe(2)
  expect(screen.getAllByText('idle')).toHaveLength(4)
})
