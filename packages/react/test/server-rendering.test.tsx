import './support/register.js'
import { createServer } from 'node:net'
import { Writable } from 'node:stream'
import { type AnyClient, createClient, type Middleware, type RpcError } from '@flashrpc/core'
import { createEndpoint, type Endpoint } from '@flashrpc/core/server'
import { RpcProvider, useRpc, useRpcClient, useRpcMethod, useRpcState } from '@flashrpc/react'
import { retryRpc, rpcQueryOptions } from '@flashrpc/react/query'
import { QueryClient, QueryClientProvider, useSuspenseQuery } from '@tanstack/react-query'
import { type ReactNode, Suspense } from 'react'
import { renderToPipeableStream, renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'

/** A page as a server streams it, and the errors that its framework would log. */
function renderPage(page: ReactNode): Promise<{ html: string; errors: unknown[] }> {
  const errors: unknown[] = []
  return new Promise((resolve) => {
    let html = ''
    const sink = new Writable({
      write(chunk: Buffer, _, written) {
        html += chunk.toString()
        written()
      },
      final(ended) {
        ended()
        resolve({ html, errors })
      },
    })
    const { pipe } = renderToPipeableStream(page, {
      onAllReady: () => pipe(sink),
      onError(error) {
        errors.push(error)
        return (error as { digest?: string }).digest
      },
    })
  })
}

function Page() {
  useRpcMethod('confirm', () => 'yes')
  const { add } = useRpc()
  return (
    <output>
      {useRpcState((state) => state.status)}
      {typeof add}
    </output>
  )
}

test('rendering on a server shows the idle state and opens no socket', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const html = renderToString(
    <RpcProvider url={`ws://127.0.0.1:${port}`} contract={contract}>
      <Page />
    </RpcProvider>,
  )
  expect(html).toBe('<output>idle<!-- -->function</output>')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(connections).toBe(0)
  await new Promise((resolve) => server.close(resolve))
})

describe('a call while a server renders', () => {
  type Sums = { add(params: { a: number; b: number }): number }
  let endpoint: Endpoint<Sums, Record<never, never>>
  let queryClient: QueryClient
  let url: string

  beforeEach(async () => {
    queryClient = new QueryClient({ defaultOptions: { queries: { retry: retryRpc } } })
    endpoint = createEndpoint<Sums>({ methods: { add: ({ a, b }) => a + b } })
    ;({ url } = await endpoint.listen())
  })

  afterEach(async () => {
    queryClient.clear()
    await endpoint.close()
  })

  function Sum() {
    const { data } = useSuspenseQuery(rpcQueryOptions(useRpcClient(), 'add', { a: 1, b: 1 }))
    return <p>the sum is {data}</p>
  }

  const page = (provider: (children: ReactNode) => ReactNode) => (
    <QueryClientProvider client={queryClient}>
      {provider(
        <Suspense fallback={<p>waiting</p>}>
          <Sum />
        </Suspense>,
      )}
    </QueryClientProvider>
  )

  test('of a client that a provider makes leaves its place to the page, at once', async () => {
    const started = performance.now()
    const { html, errors } = await renderPage(
      page((children) => (
        <RpcProvider url={url} contract={contract}>
          {children}
        </RpcProvider>
      )),
    )
    // Far below the 30 s that a call may take, and the seconds that `retry` waits.
    expect(performance.now() - started).toBeLessThan(800)
    expect(html).toContain('<p>waiting</p>')
    expect(html).not.toContain('the sum is')
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({
      name: 'RpcDisconnectedError',
      outcome: 'not-sent',
      method: 'add',
      // By this, Next logs nothing.
      digest: 'BAILOUT_TO_CLIENT_SIDE_RENDERING',
      message: expect.stringMatching(/^Rendering on a server: this client connects in the page/),
    })
    expect(retryRpc(0, errors[0])).toBe(false)
    expect(endpoint.channels.size).toBe(0)
  })

  test('rejects for every way to call, ahead of the middleware of the application', async () => {
    const seen: string[] = []
    const use: Middleware = (call, next) => {
      seen.push(call.method)
      return next()
    }
    let client: AnyClient | undefined
    const Keep = () => {
      client = useRpcClient()
      return null
    }
    renderToString(
      <RpcProvider url={url} contract={contract} use={use}>
        <Keep />
      </RpcProvider>,
    )
    const { call, stream, notify } = {
      call: () => client?.call('add', { a: 1, b: 1 }),
      stream: async () => {
        for await (const _ of client?.stream('count', { to: 1 }) ?? []) break
      },
      notify: () => client?.notify('nothing'),
    }
    for (const way of [call, stream, notify]) {
      const error = await Promise.resolve(way()).then(
        () => undefined,
        (thrown: RpcError) => thrown,
      )
      expect(error).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'not-sent' })
    }
    expect(seen).toEqual([])
    expect(client?.state.status).toBe('idle')
  })

  test.each([true, false])(
    'of a client that it was given is made (autoConnect: %s)',
    async (autoConnect) => {
      const client = createClient(contract, { url, autoConnect })
      const { html, errors } = await renderPage(
        page((children) => <RpcProvider client={client}>{children}</RpcProvider>),
      )
      expect(errors).toEqual([])
      expect(html).toContain('the sum is <!-- -->2')
      expect(client.state.status).toBe('connected')
      await client.close()
    },
  )
})

test('what may go better is still tried again, in pages and on servers', async () => {
  const client = createClient(contract, { url: 'ws://127.0.0.1:9/', autoConnect: false })
  const call = client.call('add', { a: 1, b: 1 }).catch((thrown: RpcError) => thrown)
  await client.close()
  expect(retryRpc(0, await call)).toBe(true)
  expect(retryRpc(3, await call)).toBe(false)
})
