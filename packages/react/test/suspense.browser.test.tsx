import './support/register.js'
import { type AnyClient, type Client, createClient } from '@flashrpc/core'
import { RpcProvider, useRpcClient } from '@flashrpc/react'
import { rpcQueryOptions } from '@flashrpc/react/query'
import { QueryClient, QueryClientProvider, useSuspenseQuery } from '@tanstack/react-query'
import { act, cleanup, render, screen } from '@testing-library/react'
import { Activity, type ReactNode, StrictMode, Suspense, use } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'
import { Status } from './support/status.js'

let server: TestServer
let queryClient: QueryClient

beforeEach(async () => {
  server = await startServer()
  queryClient = new QueryClient()
})

afterEach(async () => {
  cleanup()
  queryClient.clear()
  await server[Symbol.asyncDispose]()
})

/** A boundary that is above what is in it, the provider too. */
function Above({ children }: { children: ReactNode }) {
  return (
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <Suspense fallback={<p>waiting</p>}>{children}</Suspense>
      </QueryClientProvider>
    </StrictMode>
  )
}

/** React wants it awaited, where something suspends. */
function show(children: ReactNode) {
  return act(async () => render(<Above>{children}</Above>))
}

function Sum({ a }: { a: number }) {
  const { data } = useSuspenseQuery(rpcQueryOptions(useRpcClient(), 'add', { a, b: 1 }))
  return (
    <p>
      {a} + 1 = {data}
    </p>
  )
}

/** Never comes to be shown. */
const NEVER = new Promise<never>(() => {})

/** Calls while it renders, and waits for something else for ever. */
function Stuck() {
  const client = useRpcClient()
  void queryClient.prefetchQuery(rpcQueryOptions(client, 'add', { a: 1, b: 1 }))
  return use(NEVER)
}

describe('a call made while rendering, beneath a boundary that is above the provider', () => {
  test('connects, by one socket, which is closed when it is unmounted', async () => {
    const { unmount } = await show(
      <RpcProvider url={server.url} contract={contract}>
        <Status />
        <Sum a={1} />
      </RpcProvider>,
    )
    await screen.findByText('waiting')
    await screen.findByText('1 + 1 = 2', undefined, { timeout: 5_000 })
    await screen.findByText('connected')
    expect(await server.count()).toEqual({ open: 1, ever: 1 })
    unmount()
    await expect.poll(() => server.count()).toEqual({ open: 0, ever: 1 })
  })

  test('is made over the same socket when others follow it', async () => {
    const Chain = ({ a, to }: { a: number; to: number }) => {
      const { data } = useSuspenseQuery(rpcQueryOptions(useRpcClient(), 'add', { a, b: 1 }))
      return data === to ? <p>counted to {to}</p> : <Chain a={data} to={to} />
    }
    await show(
      <RpcProvider url={server.url} contract={contract}>
        <Chain a={1} to={5} />
      </RpcProvider>,
    )
    await screen.findByText('counted to 5', undefined, { timeout: 5_000 })
    expect(await server.count()).toEqual({ open: 1, ever: 1 })
  })

  test('is answered to the same client, whatever is kept by client', async () => {
    const sums = new WeakMap<AnyClient, Promise<number>>()
    const clients = new Set<AnyClient>()
    const Kept = () => {
      const client = useRpcClient()
      const sum = sums.get(client) ?? client.call('add', { a: 20, b: 22 })
      sums.set(client, sum)
      clients.add(client)
      return <p>sum {use(sum)}</p>
    }
    await show(
      <RpcProvider url={server.url} contract={contract}>
        <Kept />
      </RpcProvider>,
    )
    await screen.findByText('sum 42', undefined, { timeout: 5_000 })
    expect(await server.count()).toEqual({ open: 1, ever: 1 })
  })

  test('connects another client at each attempt, where the provider is written with other functions, and one stays', async () => {
    const { url } = server
    const Inline = () => (
      <RpcProvider url={() => url} contract={contract}>
        <Sum a={1} />
      </RpcProvider>
    )
    await show(<Inline />)
    await screen.findByText('1 + 1 = 2', undefined, { timeout: 5_000 })
    await expect.poll(async () => (await server.count()).open, { timeout: 10_000 }).toBe(1)
  }, 20_000)

  test('is let go of, where nobody ever shows what it was made for', async () => {
    const { unmount } = await show(
      <RpcProvider url={server.url} contract={contract}>
        <Stuck />
      </RpcProvider>,
    )
    await expect.poll(() => server.count()).toEqual({ open: 1, ever: 1 })
    unmount()
    await expect.poll(() => server.count(), { timeout: 10_000 }).toEqual({ open: 0, ever: 1 })
  }, 20_000)

  test('is let go of while it is hidden, and connects again when it is shown', async () => {
    const App = ({ mode }: { mode: 'visible' | 'hidden' }) => (
      <Above>
        <Activity mode={mode}>
          <RpcProvider url={server.url} contract={contract}>
            <Status />
            <Sum a={1} />
          </RpcProvider>
        </Activity>
      </Above>
    )
    const { rerender } = render(<App mode="hidden" />)
    await expect.poll(() => server.count()).toEqual({ open: 1, ever: 1 })
    await expect.poll(() => server.count(), { timeout: 10_000 }).toEqual({ open: 0, ever: 1 })
    rerender(<App mode="visible" />)
    await screen.findByText('connected')
    expect(await server.count()).toEqual({ open: 1, ever: 2 })
  }, 20_000)

  test('leaves two providers that are alike a connection each', async () => {
    const { unmount } = await show(
      [1, 2].map((a) => (
        <RpcProvider key={a} url={server.url} contract={contract}>
          <Sum a={a} />
        </RpcProvider>
      )),
    )
    await screen.findByText('2 + 1 = 3', undefined, { timeout: 5_000 })
    await expect.poll(() => server.count()).toEqual({ open: 2, ever: 2 })
    unmount()
    await expect.poll(() => server.count()).toEqual({ open: 0, ever: 2 })
  })

  test('connects a client of the application that waits to be told so', async () => {
    const client: Client<typeof contract.client, typeof contract.server> = createClient(contract, {
      url: server.url,
      autoConnect: false,
    })
    const { unmount } = await show(
      <RpcProvider client={client}>
        <Sum a={1} />
      </RpcProvider>,
    )
    await screen.findByText('1 + 1 = 2', undefined, { timeout: 5_000 })
    unmount()
    expect(client.state.status).toBe('connected')
    await client.close()
  })
})
