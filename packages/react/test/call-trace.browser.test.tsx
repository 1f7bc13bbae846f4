import './support/register.js'
import { createClient } from '@flashrpc/core'
import { RpcProvider, useRpcCall, useRpcStream } from '@flashrpc/react'
import { rpcMutationOptions, rpcQueryOptions, rpcStreamedQueryOptions } from '@flashrpc/react/query'
import { QueryClient, QueryClientProvider, useMutation, useQuery } from '@tanstack/react-query'
import { cleanup, render, waitFor } from '@testing-library/react'
import { type ReactElement, StrictMode, useEffect } from 'react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'

/** The stack of an error that a hook tells of shows the component that has called the hook, or the function that called. */

let server: TestServer
let error: Error | null

beforeEach(async () => {
  server = await startServer()
  error = null
})

afterEach(async () => {
  cleanup()
  await server[Symbol.asyncDispose]()
})

/** Over at once. */
const briefly = { timeout: 1 }
const waiting = { ms: 60_000 }
const endless = { to: null }

function create(traceCalls: boolean) {
  return createClient(contract, { url: server.url, traceCalls })
}

type TestClient = ReturnType<typeof create>

function CallsInEffect() {
  const { call, error: failure } = useRpcCall('slow')
  useEffect(
    function effectOfCallsInEffect() {
      call(waiting, briefly).catch(() => {})
    },
    [call],
  )
  error = failure
  return null
}

function ReadsStream() {
  error = useRpcStream('count', endless, { timeout: -1 }).error
  return null
}

function Queries({ client }: { client: TestClient }) {
  error = useQuery({ ...rpcQueryOptions(client, 'slow', waiting, briefly), retry: false }).error
  return null
}

function QueriesStream({ client }: { client: TestClient }) {
  const options = rpcStreamedQueryOptions(client, 'count', endless, { timeout: -1 })
  error = useQuery({ ...options, retry: false }).error
  return null
}

function Mutates({ client }: { client: TestClient }) {
  const { mutate, error: failure } = useMutation(rpcMutationOptions(client, 'slow', briefly))
  useEffect(() => mutate(waiting), [mutate])
  error = failure
  return null
}

const components: Record<string, (props: { client: TestClient }) => null> = {
  CallsInEffect,
  ReadsStream,
  Queries,
  QueriesStream,
  Mutates,
}

async function failureOf(client: TestClient, child: ReactElement): Promise<Error> {
  render(
    <StrictMode>
      <QueryClientProvider client={new QueryClient()}>
        <RpcProvider client={client}>{child}</RpcProvider>
      </QueryClientProvider>
    </StrictMode>,
  )
  return waitFor(() => {
    if (!error) throw new Error('There is no error yet')
    return error
  })
}

test.each(Object.entries(components))('%s', async (name, Component) => {
  await using client = create(true)
  await client.connect()
  const { message, stack } = await failureOf(client, <Component client={client} />)
  expect(stack).toContain(message)
  expect(stack).toMatch(new RegExp(`at .*${name}.*call-trace\\.browser\\.test\\.tsx`))
})

test('shows nobody unless the client is to', async () => {
  await using client = create(false)
  await client.connect()
  const { stack } = await failureOf(client, <Queries client={client} />)
  expect(stack).not.toContain('call-trace.browser.test.tsx')
})
