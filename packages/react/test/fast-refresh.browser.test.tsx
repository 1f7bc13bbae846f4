import './support/register.js'
import { expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

/** The hooks, loaded as bundlers do it: the refresh runtime is there before React is. */
async function loadHooks() {
  const refresh = await import('react-refresh/runtime')
  refresh.injectIntoGlobalHook(window)
  const { createRoot } = await import('react-dom/client')
  return { refresh, createRoot, ...(await import('react')), ...(await import('@flashrpc/react')) }
}

test('a component that is edited keeps its socket and its state, and runs the new closure', async () => {
  const { refresh, createRoot, useState, RpcProvider, useRpcMethod, useRpcState, useRpcStream } =
    await loadHooks()
  await using server = await startServer()

  /** One version of a module, as it is when it has been edited. */
  const load = (answer: 'yes' | 'no') => {
    const sign = refresh.createSignatureFunctionForTransform()
    function Confirm() {
      sign()
      const [id] = useState(() => Math.random())
      useRpcMethod('confirm', () => answer)
      const { status } = useRpcStream('count', { to: null })
      return (
        <p>
          {answer} {useRpcState((state) => state.status)} {status} {id}
        </p>
      )
    }
    sign(Confirm, 'the same hooks', false)
    refresh.register(Confirm, 'confirm.tsx Confirm')
    return Confirm
  }

  const Confirm = load('yes')
  const container = document.createElement('div')
  const root = createRoot(container)
  root.render(
    <RpcProvider url={server.url} contract={contract}>
      <Confirm />
    </RpcProvider>,
  )
  await expect.poll(() => container.textContent).toMatch(/^yes connected streaming /)
  expect(await server.callAll('confirm', '')).toEqual([{ value: 'yes' }])
  const id = container.textContent?.split(' ').at(-1)

  load('no')
  refresh.performReactRefresh()
  await expect.poll(() => container.textContent).toMatch(/^no connected streaming /)
  expect(container.textContent?.split(' ').at(-1)).toBe(id)
  expect(await server.callAll('confirm', '')).toEqual([{ value: 'no' }])
  expect(await server.count()).toEqual({ open: 1, ever: 1 })
  expect(await server.mounted()).toEqual([['confirm']])
  await expect.poll(() => server.running()).toBe(1)
  root.unmount()
  await expect.poll(async () => (await server.count()).open).toBe(0)
})

test('what a component has from its hooks goes on when it is edited', async () => {
  const { refresh, createRoot, RpcProvider, useRpcCall, useRpcStream } = await loadHooks()
  await using server = await startServer()
  type Hooks = {
    readonly report: ReturnType<typeof useRpcCall<'report'>>
    readonly slow: ReturnType<typeof useRpcCall<'slow'>>
    readonly count: ReturnType<typeof useRpcStream<'count'>>
  }
  let hooks: Hooks | undefined
  let starts = 0

  const load = (version: string) => {
    const sign = refresh.createSignatureFunctionForTransform()
    function Panel() {
      sign()
      hooks = {
        report: useRpcCall('report', { timeout: 60_000 }),
        slow: useRpcCall('slow'),
        count: useRpcStream('count', { to: null }, { onItem: (item) => item === 1 && starts++ }),
      }
      return <p>{version}</p>
    }
    sign(Panel, 'the same hooks', false)
    refresh.register(Panel, 'panel.tsx Panel')
    return Panel
  }

  const Panel = load('before')
  const container = document.createElement('div')
  const root = createRoot(container)
  root.render(
    <RpcProvider url={server.url} contract={contract}>
      <Panel />
    </RpcProvider>,
  )
  await expect.poll(() => hooks?.count.status).toBe('streaming')
  await hooks?.report.call({ name: 'a', steps: 0 })
  await expect.poll(() => hooks?.report.data).toBe('report a')
  const slow = hooks?.slow.call({ ms: 1_000 })
  await expect.poll(() => hooks?.slow.isPending).toBe(true)
  const before = hooks

  load('after')
  refresh.performReactRefresh()
  await expect.poll(() => container.textContent).toBe('after')
  expect(hooks?.report.data).toBe('report a')
  expect(hooks?.report.call).toBe(before?.report.call)
  expect(hooks?.slow.isPending).toBe(true)
  expect(await slow).toBe('done')
  await expect.poll(() => hooks?.slow.data).toBe('done')
  expect(hooks?.count.items.length).toBeGreaterThanOrEqual(before?.count.items.length ?? 1)
  expect(starts).toBe(1)

  root.unmount()
  await expect.poll(async () => (await server.count()).open).toBe(0)
})
