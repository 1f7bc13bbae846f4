import './support/register.js'
import { RpcProvider, useRpcState } from '@flashrpc/react'
import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

function Status() {
  return <output>{useRpcState((state) => state.status)}</output>
}

test('markup that a server rendered idle is hydrated without a mismatch, then connects', async () => {
  await using server = await startServer()
  const container = document.createElement('div')
  // What renderToString gives for this tree: see server-rendering.test.tsx.
  container.innerHTML = '<output>idle</output>'
  document.body.append(container)
  const mismatches: unknown[] = []
  const { unmount } = render(
    <RpcProvider url={server.url} contract={contract}>
      <Status />
    </RpcProvider>,
    { container, hydrate: true, onRecoverableError: (error) => mismatches.push(error) },
  )
  await screen.findByText('connected')
  expect(mismatches).toEqual([])
  unmount()
  container.remove()
  await expect.poll(async () => (await server.count()).open).toBe(0)
})
