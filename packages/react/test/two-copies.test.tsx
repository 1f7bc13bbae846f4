import { RpcProvider, useRpcState } from '@flashrpc/react'
import { renderToString } from 'react-dom/server'
import { expect, test, vi } from 'vitest'

test('a provider of another copy is named as the likely cause', async () => {
  expect(() => renderToString(<Status />)).toThrow(/Wrap your app in <RpcProvider url="…">$/)
  vi.resetModules()
  const other = await import('@flashrpc/react')
  expect(other.RpcProvider).not.toBe(RpcProvider)
  expect(() =>
    renderToString(
      <other.RpcProvider url="ws://127.0.0.1:9">
        <Status />
      </other.RpcProvider>,
    ),
  ).toThrow(/found no provider around it.*2 copies of @flashrpc\/react.*"npm ls @flashrpc\/react"/)
})

function Status() {
  return <p>{useRpcState().status}</p>
}
