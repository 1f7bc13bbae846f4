import './support/register.js'
import {
  type RpcCall,
  RpcProvider,
  useRpc,
  useRpcCall,
  useRpcMethod,
  useRpcStream,
} from '@flashrpc/react'
import { act, cleanup, render, screen } from '@testing-library/react'
import { Activity, StrictMode, Suspense, use } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'
import { Status } from './support/status.js'

/** What happens to running calls when their component unmounts, is hidden, or suspends, as docs/guide/react.md says. */

type Rpc = ReturnType<typeof useRpc>

let server: TestServer
let report: RpcCall<typeof contract.server.report>
let rpc: Rpc
let items: readonly number[]
let heard: number[]

beforeEach(async () => {
  server = await startServer()
  heard = []
})

afterEach(async () => {
  cleanup()
  await server[Symbol.asyncDispose]()
})

function Panel({ wait }: { wait: Promise<void> | undefined }) {
  rpc = useRpc()
  report = useRpcCall('report')
  ;({ items } = useRpcStream('count', { to: null }, { onItem: (item) => heard.push(item) }))
  useRpcMethod('confirm', () => 'yes')
  if (wait) use(wait)
  return <p>{report.isPending ? 'pending' : (report.data ?? 'no data')}</p>
}

interface How {
  isThere?: boolean
  mode?: 'visible' | 'hidden'
  wait?: Promise<void>
}

function App({ isThere = true, mode = 'visible', wait }: How) {
  return (
    <StrictMode>
      <RpcProvider url={server.url} contract={contract}>
        <Status />
        <Activity mode={mode}>
          <Suspense fallback={<p>suspended</p>}>{isThere && <Panel wait={wait} />}</Suspense>
        </Activity>
      </RpcProvider>
    </StrictMode>
  )
}

/** A page whose component has a call, a stream and a method that run. */
async function start() {
  const { rerender } = render(<App />)
  await screen.findByText('connected')
  await report.call({ name: 'before', steps: 0 })
  const long = report.call({ name: 'long', steps: 0, ms: 1_000 })
  const slow = rpc.slow({ ms: 1_000 })
  await screen.findByText('pending')
  await expect.poll(() => heard.length).toBeGreaterThan(0)
  await expect.poll(() => server.running()).toBe(3)
  return { long, slow, show: (how: How) => act(async () => rerender(<App {...how} />)) }
}

describe('what a component runs', () => {
  test('is given up when it is unmounted, but for calls that it made itself', async () => {
    const { long, slow, show } = await start()
    await show({ isThere: false })
    await expect(long).rejects.toMatchObject({ name: 'RpcAbortedError' })
    await expect.poll(() => server.running()).toBe(1)
    await expect.poll(() => server.mounted()).toEqual([[]])
    expect(await slow).toBe('done')
  })

  test('is given up when it is hidden, and goes on from the beginning when it is shown again', async () => {
    const { long, slow, show } = await start()
    await show({ mode: 'hidden' })
    await expect(long).rejects.toMatchObject({ name: 'RpcAbortedError' })
    await expect.poll(() => server.running()).toBe(1)
    await expect.poll(() => server.mounted()).toEqual([[]])
    expect(await slow).toBe('done')
    const before = heard.length
    expect(items.length).toBeGreaterThan(0)
    await show({ mode: 'visible' })
    await screen.findByText('report before')
    await expect.poll(() => heard[before]).toBe(1)
    await expect.poll(() => server.mounted()).toEqual([['confirm']])
  })

  test('goes on while it is suspended', async () => {
    const { long, slow, show } = await start()
    let end = () => {}
    await show({
      wait: new Promise((resolve) => {
        end = resolve
      }),
    })
    await screen.findByText('suspended')
    const before = heard.length
    await expect.poll(() => heard.length).toBeGreaterThan(before + 5)
    expect(heard).toEqual(heard.map((_, index) => index + 1))
    expect(await server.mounted()).toEqual([['confirm']])
    expect(await long).toBe('report long')
    expect(await slow).toBe('done')
    await act(async () => end())
    await screen.findByText('report long')
  })
})
