import './support/register.js'
import { fromReconnectingWebSocket } from '@flashrpc/core/reconnecting-websocket'
import { RpcProvider, useRpc, useRpcState } from '@flashrpc/react'
import { act, cleanup, render, screen } from '@testing-library/react'
import { StrictMode } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { libraries, libraryNames } from '../../core/test/support/reconnecting-sockets.js'
import { startServer, type TestServer } from './support/servers.js'

let server: TestServer
let rpc: ReturnType<typeof useRpc>

beforeEach(async () => {
  server = await startServer()
})

afterEach(async () => {
  cleanup()
  await server[Symbol.asyncDispose]()
})

function Page() {
  rpc = useRpc()
  return <p>{useRpcState((state) => state.status)}</p>
}

describe.each(libraryNames)('a provider of a socket of %s', (name) => {
  const create = () =>
    libraries[name](server.url, { minReconnectionDelay: 5, maxReconnectionDelay: 20 })

  function App({ socket }: { socket: ReturnType<typeof create> }) {
    return (
      <StrictMode>
        <RpcProvider socket={fromReconnectingWebSocket(socket)} contract={contract}>
          <Page />
        </RpcProvider>
      </StrictMode>
    )
  }

  test('has one connection in StrictMode, however often it is rendered', async () => {
    const socket = create()
    const { rerender } = render(<App socket={socket} />)
    await screen.findByText('connected')
    for (let n = 0; n < 3; n++) await act(async () => rerender(<App socket={socket} />))
    expect(await rpc.add({ a: 1, b: 2 })).toBe(3)
    expect(await server.count()).toStrictEqual({ open: 1, ever: 1 })
  })

  test('closes the socket when it is unmounted, and opens it when it is mounted again', async () => {
    const socket = create()
    const { unmount } = render(<App socket={socket} />)
    await screen.findByText('connected')
    unmount()
    await expect.poll(() => server.count()).toStrictEqual({ open: 0, ever: 1 })
    expect(socket.readyState).toBe(3)
    render(<App socket={socket} />)
    await screen.findByText('connected')
    expect(await rpc.add({ a: 1, b: 2 })).toBe(3)
    expect(await server.count()).toStrictEqual({ open: 1, ever: 2 })
  })

  test('connects another socket in its place', async () => {
    const { rerender } = render(<App socket={create()} />)
    await screen.findByText('connected')
    await act(async () => rerender(<App socket={create()} />))
    await screen.findByText('connected')
    expect(await rpc.add({ a: 1, b: 2 })).toBe(3)
    await expect.poll(() => server.count()).toStrictEqual({ open: 1, ever: 2 })
  })
})
