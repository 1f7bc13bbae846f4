import { type AnyClient, ErrorCode } from '@flashrpc/core'
import { createRpcHooks, useRpc, useRpcClient, useRpcMethod, useRpcState } from '@flashrpc/react'
import { createTestServer } from '@flashrpc/react/testing'
import { act, cleanup, render, renderHook, screen } from '@testing-library/react'
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

  test('shows who is in a group, as a real one does', async () => {
    const { wrapper, page, disconnect, reconnect } = createTestServer(contract, {
      onConnect: (channel) => channel.join('room', { info: 'Ada' }),
      presence: { allow: (group, { channel }) => channel.groups.has(group) },
    })
    const Who = ({ group }: { group: string }) => {
      const { members, status, error } = hooks.useRpcPresence<string>(group)
      const names = members.map(({ info, methods }) => `${info} ${methods?.join()}`)
      return <output>{error ? `${error.code}` : `${status}: ${names.join()}`}</output>
    }
    const { rerender } = render(<Who group="room" />, { wrapper })
    expect(await screen.findByText('live: Ada')).toBeTruthy()
    const channel = await page()
    await act(async () => channel.join('room', { info: 'Countess' }))
    expect(await screen.findByText('live: Countess')).toBeTruthy()
    rerender(
      <>
        <Who group="room" />
        <Deploy />
      </>,
    )
    expect(await screen.findByText('live: Countess confirm')).toBeTruthy()
    act(disconnect)
    expect(await screen.findByText('waiting: Countess confirm')).toBeTruthy()
    reconnect()
    // Another channel, which has joined anew.
    expect(await screen.findByText('live: Ada confirm')).toBeTruthy()
    await act(async () => (await page()).leave('room'))
    expect(await screen.findByText(`${ErrorCode.unauthorized}`)).toBeTruthy()
    rerender(<Who group="hall" />)
    expect(await screen.findByText(`${ErrorCode.unauthorized}`)).toBeTruthy()
  })

  test('shows who has joined by several pages of one test', async () => {
    const { wrapper: Wrapper, page } = createTestServer(contract, {
      presence: { allow: () => true },
    })
    const Count = () => <output>{hooks.useRpcPresence('room').members.length}</output>
    render(<Count />, { wrapper: Wrapper })
    const first = await page()
    render(<Deploy />, { wrapper: Wrapper })
    await expect.poll(async () => (await page()) === first).toBe(false)
    await act(async () => first.join('room'))
    expect(await screen.findByText('1')).toBeTruthy()
    await act(async () => (await page()).join('room'))
    expect(await screen.findByText('2')).toBeTruthy()
  })

  test('is given handlers later, which may use it', async () => {
    const server = createTestServer(contract, {})
    server.implement({ add: ({ a, b }) => a + b })
    server.implement('askBack', async ({ text }) => (await server.page()).other.upper({ text }))
    expect(() => server.implement('add', () => 1)).toThrow('"add" has two handlers')
    const { result } = renderHook(
      () => {
        hooks.useRpcMethod('upper', ({ text }) => text.toUpperCase())
        return hooks.useRpc()
      },
      { wrapper: server.wrapper },
    )
    expect(await act(() => result.current.add({ a: 1, b: 2 }))).toBe(3)
    expect(await act(() => result.current.askBack({ text: 'a' }))).toBe('A')
    expect(() => server.implement('visits', () => 1)).toThrow(
      'The server serves already: call implement before its first page connects',
    )
  })

  test('refuses handlers of methods that there are not, when it is made', () => {
    expect(() => createTestServer(contract, { methods: { ad: () => 1 } as never })).toThrow(
      /"ad" can't be exposed.*Did you mean "add"/,
    )
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
