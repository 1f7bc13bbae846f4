import './support/register.js'
import { createChannel, createClient, type Middleware, messagePortTransport } from '@flashrpc/core'
import { RpcProvider, useRpc, useRpcClient, useRpcState } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { Activity, StrictMode, useEffect, useState } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

afterEach(cleanup)

function Status() {
  return <output>{useRpcState((state) => state.status)}</output>
}

function Sum({ a, b }: { a: number; b: number }) {
  const rpc = useRpc()
  const [sum, setSum] = useState<number>()
  useEffect(() => {
    void rpc.add({ a, b }).then(setSum)
  }, [rpc, a, b])
  return <p>sum {sum ?? '…'}</p>
}

test('a component calls the server', async () => {
  await using server = await startServer()
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Sum a={5} b={10} />
    </RpcProvider>,
  )
  expect(await screen.findByText('sum 15')).toBeTruthy()
})

test('attributes that build plugins add to components are ignored', async () => {
  await using server = await startServer()
  const added = { 'data-sentry-element': 'RpcProvider', 'aria-label': 'x', ref: () => {}, key: 'k' }
  const { rerender } = render(
    <RpcProvider url={server.url} contract={contract} {...added}>
      <Sum a={1} b={2} />
    </RpcProvider>,
  )
  expect(await screen.findByText('sum 3')).toBeTruthy()
  await using client = createClient(contract, { url: server.url })
  rerender(
    <RpcProvider client={client} {...added}>
      <Sum a={3} b={4} />
    </RpcProvider>,
  )
  expect(await screen.findByText('sum 7')).toBeTruthy()
  const misspelt = { ...added, contracts: contract }
  expect(() => render(<RpcProvider url={server.url} {...misspelt} />)).toThrow(
    'RpcProvider has no option "contracts". Did you mean "contract"?',
  )
})

test('its middleware surrounds the calls of its components', async () => {
  await using server = await startServer()
  const seen: string[] = []
  const use: Middleware = (call, next) => {
    seen.push(`${call.direction} ${call.method}`)
    return next()
  }
  render(
    <RpcProvider url={server.url} contract={contract} use={use}>
      <Sum a={5} b={10} />
    </RpcProvider>,
  )
  expect(await screen.findByText('sum 15')).toBeTruthy()
  expect(seen).toEqual(['out add'])
})

test('StrictMode opens one socket, and unmounting closes it', async () => {
  await using server = await startServer()
  const { unmount } = render(
    <StrictMode>
      <RpcProvider url={server.url} contract={contract}>
        <Status />
        <Sum a={1} b={2} />
      </RpcProvider>
    </StrictMode>,
  )
  await screen.findByText('sum 3')
  expect(await server.count()).toEqual({ open: 1, ever: 1 })
  unmount()
  await expect.poll(() => server.count()).toEqual({ open: 0, ever: 1 })
})

test('mounting and unmounting a hundred times leaves no socket', async () => {
  await using server = await startServer()
  for (let n = 0; n < 100; n++) {
    const { unmount } = render(
      <StrictMode>
        <RpcProvider url={server.url} contract={contract}>
          <Status />
        </RpcProvider>
      </StrictMode>,
    )
    if (n % 10 === 0) await screen.findByText('connected')
    unmount()
  }
  await expect.poll(async () => (await server.count()).open).toBe(0)
})

test('another url makes another connection, and ends the one before', async () => {
  await using first = await startServer()
  await using second = await startServer()
  const at = (url: string) => (
    <RpcProvider url={url} contract={contract}>
      <Status />
    </RpcProvider>
  )
  const { rerender } = render(at(first.url))
  await screen.findByText('connected')
  rerender(at(second.url))
  await expect.poll(() => second.count()).toEqual({ open: 1, ever: 1 })
  await expect.poll(() => first.count()).toEqual({ open: 0, ever: 1 })
  await screen.findByText('connected')
})

test('a url written as an inline function keeps its connection, and the newest is asked', async () => {
  await using server = await startServer()
  const asked: string[] = []
  const App = ({ token }: { token: string }) => (
    <RpcProvider
      contract={contract}
      retry={{ minDelayMs: 1, maxDelayMs: 20 }}
      url={async () => {
        asked.push(token)
        return `${server.url}?token=${token}`
      }}
    >
      <Status />
    </RpcProvider>
  )
  const { rerender } = render(<App token="one" />)
  await screen.findByText('connected')
  rerender(<App token="two" />)
  await screen.findByText('connected')
  expect(await server.count()).toEqual({ open: 1, ever: 1 })
  expect(asked).toEqual(['one'])
  await server.stop()
  await screen.findByText('reconnecting')
  await server.restart()
  await screen.findByText('connected')
  expect(asked.at(-1)).toBe('two')
})

test('a client of the application is connected, and stays open after unmounting', async () => {
  await using server = await startServer()
  await using client = createClient(contract, { url: server.url, autoConnect: false })
  const { unmount } = render(
    <RpcProvider client={client}>
      <Status />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  unmount()
  expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
})

test('a transport takes the place of the socket: the same components over a MessagePort', async () => {
  const ports = new MessageChannel()
  await using _worker = createChannel(contract, {
    side: 'server',
    transport: messagePortTransport(ports.port2),
    methods: { add: ({ a, b }) => a + b },
  })
  const { unmount } = render(
    <RpcProvider transport={() => messagePortTransport(ports.port1)} contract={contract}>
      <Sum a={20} b={22} />
    </RpcProvider>,
  )
  expect(await screen.findByText('sum 42')).toBeTruthy()
  unmount()
})

test('the state goes through a restart of the server and calls made meanwhile wait', async () => {
  await using server = await startServer()
  const seen: string[] = []
  let rpc: ReturnType<typeof useRpc> | undefined
  const Watch = () => {
    rpc = useRpc()
    const status = useRpcState((state) => state.status)
    useEffect(() => void seen.push(status), [status])
    return <output>{status}</output>
  }
  render(
    <RpcProvider url={server.url} contract={contract} retry={{ minDelayMs: 1, maxDelayMs: 20 }}>
      <Watch />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  await server.stop()
  await screen.findByText('reconnecting')
  const sum = rpc?.add({ a: 3, b: 4 })
  await server.restart()
  expect(await sum).toBe(7)
  await screen.findByText('connected')
  expect(seen).toEqual(['idle', 'connecting', 'connected', 'reconnecting', 'connected'])
})

test('hidden and shown again by Activity, it closes and connects again', async () => {
  await using server = await startServer()
  const App = ({ mode }: { mode: 'visible' | 'hidden' }) => (
    <Activity mode={mode}>
      <RpcProvider url={server.url} contract={contract}>
        <Status />
      </RpcProvider>
    </Activity>
  )
  const { rerender } = render(<App mode="visible" />)
  await screen.findByText('connected')
  rerender(<App mode="hidden" />)
  await expect.poll(async () => (await server.count()).open).toBe(0)
  rerender(<App mode="visible" />)
  await expect.poll(async () => (await server.count()).open).toBe(1)
  await screen.findByText('connected')
})

test('a hook without a provider says what is missing', () => {
  const silence = vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(() => render(<Status />)).toThrow(/found no provider around it. Wrap your app/)
  silence.mockRestore()
})

test('a url that is no WebSocket address is an error of the provider', () => {
  const silence = vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(() =>
    render(
      <RpcProvider url="http://localhost" contract={contract}>
        <Status />
      </RpcProvider>,
    ),
  ).toThrow(/url must begin with ws: or wss:/)
  silence.mockRestore()
})

test('the remote object can be kept in state and in dependency lists', async () => {
  await using server = await startServer()
  const seen = new Set<unknown>()
  const Keeper = () => {
    const rpc = useRpc()
    const [kept, keep] = useState<unknown>(null)
    useEffect(() => keep(rpc), [rpc])
    seen.add(rpc).add(useRpcClient().other)
    return <output>{kept === rpc ? 'kept' : 'not yet'}</output>
  }
  const { rerender } = render(
    <RpcProvider url={server.url} contract={contract}>
      <Keeper />
    </RpcProvider>,
  )
  await screen.findByText('kept')
  rerender(
    <RpcProvider url={server.url} contract={contract}>
      <Keeper />
    </RpcProvider>,
  )
  expect(seen.size).toBe(1)
})
