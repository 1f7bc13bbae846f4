import { createChannel, defineContract, memoryTransportPair, method, stream } from '@flashrpc/core'
import { createRpcHooks } from '@flashrpc/react'
import {
  rpcMutationOptions,
  rpcQueryKey,
  rpcQueryOptions,
  useRpcInvalidation,
} from '@flashrpc/react/query'
import { QueryClient, QueryClientProvider, useMutation, useQuery } from '@tanstack/react-query'
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'

/** Hooks for methods in groups: they take the path. */

const contract = defineContract({
  server: {
    users: {
      get: method({ params: z.object({ id: z.string() }), result: z.string() }),
      names: stream({ item: z.string() }),
      export: method({ progress: z.number(), result: z.string() }),
    },
  },
  client: {
    page: {
      ask: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
      changed: method({ params: z.object({ id: z.string() }) }),
    },
  },
})

const { RpcProvider, useRpc, useRpcCall, useRpcClient, useRpcMethod, useRpcStream } =
  createRpcHooks(contract)

afterEach(cleanup)

test('the hooks take the paths of methods in groups', async () => {
  const [left, right] = memoryTransportPair()
  let version = 1
  const server = createChannel(contract, {
    side: 'server',
    transport: left,
    methods: {
      users: {
        get: ({ id }) => `${id} ${version}`,
        async *names() {
          yield 'ann'
        },
        export: () => 'exported',
      },
    },
  })
  const App = () => {
    const client = useRpcClient()
    const rpc = useRpc()
    const { call, data } = useRpcCall('users.get')
    const names = useRpcStream('users.names')
    const query = useQuery(rpcQueryOptions(client, 'users.get', { id: 'query' }))
    const mutation = useMutation(rpcMutationOptions(client, 'users.get'))
    useRpcMethod('page.ask', ({ text }) => (text === 'sure?' ? 'yes' : 'no'))
    useRpcInvalidation(client, 'page.changed', ({ id }) => ({
      queryKey: rpcQueryKey('users.get', { id }),
    }))
    return (
      <>
        <button type="button" onClick={() => void call({ id: 'call' })}>
          call
        </button>
        <button type="button" onClick={() => mutation.mutate({ id: 'mutation' })}>
          mutate
        </button>
        <button type="button" onClick={() => void rpc.users.get({ id: 'rpc' })}>
          rpc
        </button>
        <p>{[data, query.data, mutation.data, ...names.items].join(', ')}</p>
      </>
    )
  }
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RpcProvider transport={() => right}>
        <App />
      </RpcProvider>
    </QueryClientProvider>,
  )
  await screen.findByText(', query 1, , ann')
  screen.getByText('call').click()
  await screen.findByText('call 1, query 1, , ann')
  screen.getByText('mutate').click()
  await screen.findByText('call 1, query 1, mutation 1, ann')
  expect(await server.other.page.ask({ text: 'sure?' })).toBe('yes')
  version = 2
  await server.other.page.changed({ id: 'query' })
  await screen.findByText('call 1, query 2, mutation 1, ann')
  await server.close()
})

test('useRpcCall has the progress of a method in a group', async () => {
  const [left, right] = memoryTransportPair()
  await using _ = createChannel(contract, {
    side: 'server',
    transport: left,
    methods: {
      users: {
        get: () => '',
        async *names() {},
        export: (_, { progress }) => {
          progress(50)
          return 'exported'
        },
      },
    },
  })
  const App = () => {
    const { call, data, progress } = useRpcCall('users.export')
    return (
      <button type="button" onClick={() => void call()}>
        {data ?? 'export'} {progress ?? 'no progress'}
      </button>
    )
  }
  render(
    <RpcProvider transport={() => right}>
      <App />
    </RpcProvider>,
  )
  screen.getByText('export no progress').click()
  await screen.findByText('exported 50')
})
