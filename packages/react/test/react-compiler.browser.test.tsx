import './support/register.js'
import { RpcProvider } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { StrictMode } from 'react'
import { afterEach, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { Compiled } from './support/hooks.compiled.js'
import { startServer } from './support/servers.js'

afterEach(cleanup)

test('components that React compiles have hooks that work', async () => {
  // The compiler has been at it: it keeps its memory in an array of its own.
  expect(Compiled.toString()).toMatch(/memo_cache_sentinel/)
  await using server = await startServer()
  const at = (suffix: string) => (
    <StrictMode>
      <RpcProvider url={server.url} contract={contract}>
        <Compiled suffix={suffix} />
      </RpcProvider>
    </StrictMode>
  )
  const { rerender } = render(at('first'))
  await screen.findByText('connected 0 no report false done 2 3')
  expect(await server.callAll('upper', 'a')).toEqual([{ value: 'A first 0' }])
  screen.getByText('add').click()
  await screen.findByText('connected 1 no report false done 2 3')
  expect(await server.callAll('upper', 'a')).toEqual([{ value: 'A first 1' }])
  rerender(at('second'))
  screen.getByText('report').click()
  await screen.findByText('connected 1 report second false done 2 3')
  expect(await server.callAll('upper', 'a')).toEqual([{ value: 'A second 1' }])
  await server.stop()
  await screen.findByText('not yet 1 report second false done 2 3')
})
