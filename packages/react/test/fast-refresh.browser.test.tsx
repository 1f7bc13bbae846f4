import './support/register.js'
import { expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

test('a component that is edited keeps its socket and its state, and runs the new closure', async () => {
  // As bundlers do it: the runtime is there before React is.
  const refresh = await import('react-refresh/runtime')
  refresh.injectIntoGlobalHook(window)
  const { createRoot } = await import('react-dom/client')
  const { useState } = await import('react')
  const { RpcProvider, useRpcMethod, useRpcState, useRpcStream } = await import('@flashrpc/react')
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
