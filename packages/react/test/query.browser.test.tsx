import './support/register.js'
import type { RpcError } from '@flashrpc/core'
import { RpcProvider, useRpcClient, useRpcState } from '@flashrpc/react'
import {
  retryRpc,
  rpcMutationOptions,
  rpcQueryKey,
  rpcQueryOptions,
  rpcStreamedQueryOptions,
  useRpcInvalidation,
} from '@flashrpc/react/query'
import {
  QueryClient,
  QueryClientProvider,
  QueryErrorResetBoundary,
  skipToken,
  useMutation,
  useQuery,
  useSuspenseQuery,
} from '@tanstack/react-query'
import { cleanup, render, screen } from '@testing-library/react'
import { Component, type ReactNode, Suspense, useState } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'
import { Status } from './support/status.js'

let server: TestServer
let queryClient: QueryClient

beforeEach(async () => {
  server = await startServer()
  queryClient = new QueryClient({ defaultOptions: { queries: { retry: retryRpc } } })
})

afterEach(async () => {
  cleanup()
  queryClient.clear()
  await server[Symbol.asyncDispose]()
})

function show(children: ReactNode) {
  return render(
    <QueryClientProvider client={queryClient}>
      <RpcProvider url={server.url} contract={contract}>
        <Status />
        {children}
      </RpcProvider>
    </QueryClientProvider>,
  )
}

describe('a query', () => {
  test('calls, and is cached by its method and params', async () => {
    const Sum = ({ a }: { a: number }) => {
      const { data } = useQuery(rpcQueryOptions(useRpcClient(), 'add', { a, b: 1 }))
      return <p>{data === undefined ? 'pending' : `${a} + 1 = ${data}`}</p>
    }
    show(
      <>
        <Sum a={1} />
        <Sum a={2} />
      </>,
    )
    await screen.findByText('1 + 1 = 2')
    await screen.findByText('2 + 1 = 3')
    expect(queryClient.getQueryData(rpcQueryKey('add', { a: 2, b: 1 }))).toBe(3)
    expect(queryClient.getQueryCache().findAll({ queryKey: rpcQueryKey('add') })).toHaveLength(2)
  })

  test('is one call for all components that have it', async () => {
    const Visits = () => {
      const { data } = useQuery(rpcQueryOptions(useRpcClient(), 'visits'))
      return <p>visits: {data}</p>
    }
    show(
      <>
        <Visits />
        <Visits />
      </>,
    )
    await expect.poll(() => screen.queryAllByText('visits: 1')).toHaveLength(2)
  })

  test('with skipToken calls nothing', async () => {
    const Maybe = ({ a }: { a: number | undefined }) => {
      const options = rpcQueryOptions(
        useRpcClient(),
        'add',
        a === undefined ? skipToken : { a, b: 1 },
      )
      const { data, fetchStatus } = useQuery(options)
      return (
        <p>
          {fetchStatus} {data}
        </p>
      )
    }
    const { rerender } = show(<Maybe a={undefined} />)
    await screen.findByText('connected')
    await screen.findByText('idle')
    rerender(
      <QueryClientProvider client={queryClient}>
        <RpcProvider url={server.url} contract={contract}>
          <Status />
          <Maybe a={4} />
        </RpcProvider>
      </QueryClientProvider>,
    )
    await screen.findByText('idle 5')
  })

  test('caches null where a method answers nothing', async () => {
    const Nothing = () => {
      const { data, status } = useQuery(rpcQueryOptions(useRpcClient(), 'nothing'))
      return (
        <p>
          {status} {String(data)}
        </p>
      )
    }
    show(<Nothing />)
    await screen.findByText('success null')
  })

  test('gives the call up when nobody observes it any more', async () => {
    const Slow = () => {
      const { status } = useQuery(rpcQueryOptions(useRpcClient(), 'slow', { ms: 60_000 }))
      return <p>{status}</p>
    }
    const Both = () => {
      const [isShown, setShown] = useState(true)
      return (
        <>
          {isShown && <Slow />}
          <button type="button" onClick={() => setShown(false)}>
            hide
          </button>
          <p>in flight: {useRpcState((state) => state.inFlight)}</p>
        </>
      )
    }
    show(<Both />)
    await screen.findByText('in flight: 1')
    screen.getByText('hide').click()
    await screen.findByText('in flight: 0')
  })

  test('waits for the connection, and is not made again for that', async () => {
    await server.stop()
    const Visits = () => {
      const { data } = useQuery(rpcQueryOptions(useRpcClient(), 'visits'))
      return <p>visits: {data}</p>
    }
    show(<Visits />)
    await screen.findByText('reconnecting')
    await server.restart()
    await screen.findByText('visits: 1')
  })

  test('suspends, and an error boundary has what it fails with', async () => {
    class Boundary extends Component<{ onReset: () => void; children: ReactNode }> {
      override state: { error?: RpcError } = {}
      static getDerivedStateFromError = (error: RpcError) => ({ error })
      override render() {
        const { error } = this.state
        if (!error) return this.props.children
        const again = () => {
          this.props.onReset()
          this.setState({ error: undefined })
        }
        return (
          <button type="button" onClick={again}>
            {error.name} of {error.method}
          </button>
        )
      }
    }
    let isValid = false
    const Sum = () => {
      const params = { a: 1, b: isValid ? 2 : (Number.NaN as number) }
      const options = rpcQueryOptions(useRpcClient(), 'add', params)
      const { data } = useSuspenseQuery({ ...options, queryKey: rpcQueryKey('add', 'the sum') })
      return <p>the sum is {data}</p>
    }
    show(
      <QueryErrorResetBoundary>
        {({ reset }) => (
          <Boundary onReset={reset}>
            <Suspense fallback="loading">
              <Sum />
            </Suspense>
          </Boundary>
        )}
      </QueryErrorResetBoundary>,
    )
    await screen.findByText('loading')
    const button = await screen.findByText('RpcError of add')
    isValid = true
    button.click()
    await screen.findByText('the sum is 3')
  })
})

test('only what may go better is tried again, three times', async () => {
  const cut = { name: 'RpcDisconnectedError' }
  const client = { current: undefined as ReturnType<typeof useRpcClient> | undefined }
  const Give = () => {
    client.current = useRpcClient()
    return null
  }
  show(<Give />)
  await screen.findByText('connected')
  const cutOff = client.current?.other.slow({ ms: 60_000 }).catch((thrown: unknown) => thrown)
  await server.stop()
  const error = await cutOff
  expect(error).toMatchObject(cut)
  expect([0, 1, 2, 3].map((count) => retryRpc(count, error))).toEqual([true, true, true, false])
  await server.restart()
  const invalid = await client.current?.other
    .add({ a: Number.NaN, b: 1 })
    .catch((thrown: unknown) => thrown)
  expect(invalid).toMatchObject({ code: -32602 })
  expect(retryRpc(0, invalid)).toBe(false)
})

describe('a mutation', () => {
  test('calls with what it is given', async () => {
    const Add = () => {
      const { mutate, data } = useMutation(rpcMutationOptions(useRpcClient(), 'add'))
      return (
        <button type="button" onClick={() => mutate({ a: 5, b: 10 })}>
          sum: {data}
        </button>
      )
    }
    show(<Add />)
    ;(await screen.findByText('sum:')).click()
    await screen.findByText('sum: 15')
    expect(
      queryClient.getMutationCache().findAll({ mutationKey: rpcQueryKey('add') }),
    ).toHaveLength(1)
  })

  test('fails with the typed error, and is not repeated', async () => {
    const Visit = () => {
      const { mutate, error, failureCount } = useMutation(
        rpcMutationOptions(useRpcClient(), 'add', { idempotencyKey: ({ a }) => `add ${a}` }),
      )
      return (
        <button type="button" onClick={() => mutate({ a: 1, b: 1 })}>
          {error ? `${error.code} after ${failureCount}: ${error.message}` : 'visit'}
        </button>
      )
    }
    show(<Visit />)
    await screen.findByText('connected')
    screen.getByText('visit').click()
    // The key went along: this server keeps no results, and says so.
    await screen.findByText(/after 1: .*"add".*key/)
  })
})

describe('a streamed query', () => {
  test('has the items that came, and ends with the stream', async () => {
    const Count = () => {
      const options = rpcStreamedQueryOptions(useRpcClient(), 'count', { to: 5 })
      const { data = [], fetchStatus } = useQuery(options)
      return (
        <p>
          {data.join(' ')} {fetchStatus}
        </p>
      )
    }
    show(<Count />)
    await screen.findByText('1 2 3 4 5 idle')
  })

  test('keeps as many as it is told to', async () => {
    const Count = ({ keep }: { keep: number }) => {
      const options = rpcStreamedQueryOptions(useRpcClient(), 'count', { to: 50 }, { keep })
      const { data = [], fetchStatus } = useQuery({
        ...options,
        queryKey: rpcQueryKey('count', { keep }),
      })
      return (
        <p>
          {keep}: {data.join(' ')} {fetchStatus}
        </p>
      )
    }
    show(
      <>
        <Count keep={3} />
        <Count keep={0} />
      </>,
    )
    await screen.findByText('3: 48 49 50 idle')
    await screen.findByText('0: idle')
  })

  test('one that does not end, does when nobody observes it', async () => {
    const Count = () => {
      const options = rpcStreamedQueryOptions(useRpcClient(), 'count', { to: null }, { keep: 1 })
      const { data = [] } = useQuery(options)
      return <p>{data.length > 0 ? 'counting' : 'waiting'}</p>
    }
    const { unmount } = show(<Count />)
    await screen.findByText('counting')
    const key = rpcQueryKey('count', { to: null })
    const last = () => queryClient.getQueryData<number[]>(key)?.[0] ?? 0
    const before = last()
    await expect.poll(last).toBeGreaterThan(before)
    unmount()
    await expect.poll(() => queryClient.getQueryState(key)?.fetchStatus).toBe('idle')
    const after = last()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(last()).toBe(after)
  })
})

describe('invalidation', () => {
  const Fresh = () => {
    const client = useRpcClient()
    useRpcInvalidation(client, 'notify', ({ text }) =>
      text === 'visits' ? { queryKey: rpcQueryKey('visits') } : undefined,
    )
    const { data } = useQuery({ ...rpcQueryOptions(client, 'visits'), staleTime: 1e9 })
    return <p>visits: {data}</p>
  }

  test('a notification of the server has queries fetched again', async () => {
    show(<Fresh />)
    await screen.findByText('visits: 1')
    await server.notifyAll('something else')
    await server.notifyAll('visits')
    await screen.findByText('visits: 2')
  })

  test('so has a connection that could not go on with the one before', async () => {
    show(<Fresh />)
    await screen.findByText('visits: 1')
    await server.stop()
    await screen.findByText('reconnecting')
    await server.restart()
    // Another server, which counts from 1: asked once more than without its going away.
    await screen.findByText('connected')
    await expect
      .poll(() => queryClient.getQueryState(rpcQueryKey('visits'))?.dataUpdateCount)
      .toBe(2)
  })

  test('ends with its component', async () => {
    const { unmount } = show(<Fresh />)
    await screen.findByText('visits: 1')
    unmount()
    const { count } = server
    await expect.poll(async () => (await count()).open).toBe(0)
  })
})
