import './support/register.js'
import { type Client, createClient } from '@flashrpc/core'
import {
  RpcProvider,
  useRpc,
  useRpcCall,
  useRpcMethod,
  useRpcState,
  useRpcStream,
} from '@flashrpc/react'
import { StrictMode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import { expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

function Everything() {
  useRpc()
  useRpcMethod('confirm', () => 'yes')
  useRpcMethod('notify', () => {})
  const { isPending } = useRpcCall('add')
  const { items } = useRpcStream('count', { to: 1 })
  return (
    <p>
      {useRpcState(({ status }) => status)} {String(isPending)} {items.length}
    </p>
  )
}

test('ten thousand components come and go over one socket, and leave nothing', async () => {
  await using server = await startServer()
  const client: Client<typeof contract.client, typeof contract.server> = createClient(contract, {
    url: server.url,
  })
  let listeners = 0
  const { subscribe } = client
  // What is subscribed to the client is counted: one store, whatever reads it.
  client.subscribe = (listener) => {
    listeners++
    const unsubscribe = subscribe.call(client, listener)
    return () => {
      listeners--
      unsubscribe()
    }
  }
  const container = document.createElement('div')
  const root = createRoot(container)
  const show = (count: number) =>
    flushSync(() =>
      root.render(
        <StrictMode>
          <RpcProvider client={client}>
            {Array.from({ length: count }, (_, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they never move
              <Everything key={n} />
            ))}
          </RpcProvider>
        </StrictMode>,
      ),
    )
  show(0)
  await client.connect()
  for (let mounted = 0; mounted < 10_000; mounted += 250) {
    show(250)
    if (mounted % 2_500 === 0) await new Promise((resolve) => setTimeout(resolve))
    show(0)
  }
  await expect.poll(() => server.mounted()).toEqual([[]])
  expect(await server.count()).toEqual({ open: 1, ever: 1 })
  await expect.poll(() => server.running()).toBe(0)
  expect(client.state).toMatchObject({ inFlight: 0, queued: 0 })
  expect(listeners).toBeLessThanOrEqual(1)
  expect(container.textContent).toBe('')
  root.unmount()
  await client.close()
  await expect.poll(async () => (await server.count()).open).toBe(0)
})

test('ten thousand providers leave one socket, and then none', async () => {
  await using server = await startServer()
  const container = document.createElement('div')
  const root = createRoot(container)
  const show = (isShown: boolean) =>
    flushSync(() =>
      root.render(
        isShown && (
          <RpcProvider url={server.url} contract={contract}>
            <Everything />
          </RpcProvider>
        ),
      ),
    )
  for (let n = 0; n < 10_000; n++) {
    show(true)
    show(false)
    // Now and then it lives long enough to begin to connect.
    if (n % 500 === 0) await new Promise((resolve) => setTimeout(resolve))
  }
  show(true)
  await expect.poll(() => container.textContent, { timeout: 10_000 }).toContain('connected')
  await expect.poll(async () => (await server.count()).open).toBe(1)
  expect(await server.mounted()).toEqual([['confirm', 'notify']])
  root.unmount()
  await expect.poll(async () => (await server.count()).open).toBe(0)
})
