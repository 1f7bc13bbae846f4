import type { AnyClient } from '@flashrpc/core'
import { createRpcHooks, useRpc, useRpcClient, useRpcMethod, useRpcState } from '@flashrpc/react'
import { createTestServer } from '@flashrpc/react/testing'
import { cleanup, render, renderHook, screen } from '@testing-library/react'
import { StrictMode, useEffect, useState } from 'react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'

const hooks = createRpcHooks(contract)

beforeEach(() => {
  // Whatever React would complain about, such as an update outside of act.
  vi.spyOn(console, 'error')
})

afterEach(() => {
  cleanup()
  expect(console.error).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

function Sum({ a, b }: { a: number; b: number }) {
  const rpc = hooks.useRpc()
  const [sum, setSum] = useState<string>()
  useEffect(() => {
    rpc.add({ a, b }).then(
      (value) => setSum(String(value)),
      (error) => setSum(String(error)),
    )
  }, [rpc, a, b])
  return <output>{sum}</output>
}

function Deploy() {
  const [question, ask] = useState<{ text: string; answer: (answer: 'yes' | 'no') => void }>()
  hooks.useRpcMethod(
    'confirm',
    ({ text }) => new Promise<'yes' | 'no'>((answer) => ask({ text, answer })),
  )
  return (
    <>
      <output>{hooks.useRpcState(({ status }) => status)}</output>
      {question && (
        <button type="button" onClick={() => question.answer('yes')}>
          {question.text}
        </button>
      )}
    </>
  )
}

describe('a test server', () => {
  test('answers a component, in three lines', async () => {
    const { wrapper } = createTestServer(contract, { methods: { add: ({ a, b }) => a + b } })
    render(<Sum a={5} b={10} />, { wrapper })
    expect(await screen.findByText('15')).toBeTruthy()
  })

  test('calls a component', async () => {
    const { wrapper, page } = createTestServer(contract, {})
    render(<Deploy />, { wrapper })
    const answer = (await page()).other.confirm({ text: 'Deploy?' })
    ;(await screen.findByText('Deploy?')).click()
    expect(await answer).toBe('yes')
    expect((await page()).has('confirm')).toBe(true)
  })

  test('serves the hooks of the registered contract as well, under StrictMode', async () => {
    const { wrapper: Wrapper, page } = createTestServer(contract, {})
    const { result } = renderHook(
      () => {
        useRpcMethod('upper', ({ text }: { text: string }) => text.toUpperCase())
        return { rpc: useRpc(), status: useRpcState((state) => state.status) }
      },
      {
        wrapper: ({ children }) => (
          <StrictMode>
            <Wrapper>{children}</Wrapper>
          </StrictMode>
        ),
      },
    )
    expect(await (await page()).other.upper({ text: 'a' })).toBe('A')
    expect(result.current.status).toBe('connected')
  })

  test('validates as a real one does, and says what it has no handler for', async () => {
    const { wrapper } = createTestServer(contract, {
      methods: { add: () => 'fifteen' as unknown as number },
    })
    render(<Sum a={5} b={10} />, { wrapper })
    expect(await screen.findByText(/RpcValidationError.*"add"/)).toBeTruthy()
    cleanup()
    const empty = createTestServer(contract, {})
    render(<Sum a={5} b={10} />, { wrapper: empty.wrapper })
    expect(await screen.findByText(/"add" has no handler at the moment/)).toBeTruthy()
  })

  test('goes away and comes back', async () => {
    const { wrapper, page, disconnect, reconnect } = createTestServer(contract, {
      methods: { add: ({ a, b }) => a + b },
    })
    render(
      <>
        <Deploy />
        <Sum a={1} b={2} />
      </>,
      { wrapper },
    )
    expect(await screen.findByText('connected')).toBeTruthy()
    const first = await page()
    disconnect()
    expect(await screen.findByText('reconnecting')).toBeTruthy()
    reconnect()
    expect(await screen.findByText('connected')).toBeTruthy()
    expect(await page()).not.toBe(first)
    expect(first.isConnected).toBe(false)
  })

  test('nothing is left of it when its components are unmounted', async () => {
    const closed: unknown[] = []
    const { wrapper, page } = createTestServer(contract, {
      onDisconnect: [(_, reason) => closed.push(reason)],
    })
    const { result, unmount } = renderHook(() => useRpcClient(), { wrapper })
    const { isConnected } = await page()
    expect(isConnected).toBe(true)
    unmount()
    await vi.waitFor(() => expect(closed).toHaveLength(1), { timeout: 10_000 })
    expect(result.current.state.status).toBe('closed')
  })

  test('works without a contract', async () => {
    interface Server {
      double(params: { n: number }): number
    }
    const { wrapper } = createTestServer<Server, Record<never, never>>({
      methods: { double: ({ n }) => 2 * n },
      client: { timeout: 5_000 },
    })
    const { result } = renderHook(() => useRpcClient(), { wrapper })
    expect(await (result.current as AnyClient).call('double', { n: 4 })).toBe(8)
  })

  test('shows what a wrong option is', () => {
    vi.mocked(console.error).mockImplementation(() => {})
    const { wrapper } = createTestServer(contract, { client: { timeout: -1 } })
    expect(() => render(<Deploy />, { wrapper })).toThrow('timeout')
    vi.mocked(console.error).mockClear()
  })

  test('is no provider of another contract', () => {
    vi.mocked(console.error).mockImplementation(() => {})
    const { wrapper } = createTestServer({ methods: {} })
    expect(() => render(<Deploy />, { wrapper })).toThrow('found no provider around it')
    vi.mocked(console.error).mockClear()
  })
})
