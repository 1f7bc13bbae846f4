import './support/register.js'
import { type Client, createClient } from '@flashrpc/core'
import {
  RpcProvider,
  type RpcStreamState,
  type UseRpcStreamOptions,
  useRpcStream,
} from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'
import { StrictApp } from './support/strict-app.js'

let server: TestServer
let state: RpcStreamState<number>
let renders: number

beforeEach(async () => {
  server = await startServer()
  renders = 0
})

afterEach(async () => {
  cleanup()
  await server[Symbol.asyncDispose]()
})

function Count({ to, ...options }: { to: number | null } & UseRpcStreamOptions<number>) {
  // Written inline: other params only where they say something else.
  state = useRpcStream('count', { to }, options)
  renders++
  return (
    <p>
      {state.status} {state.items.length} {state.latest}
    </p>
  )
}

function app(children: ReactNode) {
  return <StrictApp url={server.url}>{children}</StrictApp>
}

describe('useRpcStream', () => {
  test('has the items, the newest of them, and its end', async () => {
    render(app(<Count to={5} />))
    const restart = expect.any(Function)
    expect(state).toEqual({ latest: undefined, items: [], status: 'waiting', error: null, restart })
    await screen.findByText('done 5 5')
    expect(state.items).toEqual([1, 2, 3, 4, 5])
    expect(await server.running()).toBe(0)
  })

  test('keeps as many as it is told to, and tells each of them', async () => {
    const heard: number[] = []
    const onItem = (item: number) => heard.push(item)
    render(app(<Count to={2_000} keep={3} onItem={onItem} />))
    // A busy machine needs more than the second that it waits by default.
    await screen.findByText('done 3 2000', undefined, { timeout: 10_000 })
    expect(state.items).toEqual([1998, 1999, 2000])
    expect(heard).toEqual(Array.from({ length: 2_000 }, (_, n) => n + 1))
    // StrictMode renders twice; and there is one render for many items.
    expect(renders).toBeLessThan(2_000)
  })

  test('may keep none but the latest', async () => {
    render(app(<Count to={50} keep={0} />))
    await screen.findByText('done 0 50')
    expect(state.items).toEqual([])
  })

  test('ends at its source when it is unmounted, or not enabled', async () => {
    const { rerender } = render(app(<Count to={null} />))
    await expect.poll(() => state.status).toBe('streaming')
    expect(await server.running()).toBe(1)
    rerender(app(<Count to={null} enabled={false} />))
    await screen.findByText('idle 0')
    await expect.poll(() => server.running()).toBe(0)
    rerender(app(<Count to={null} />))
    await expect.poll(() => state.status).toBe('streaming')
    rerender(app(null))
    await expect.poll(() => server.running()).toBe(0)
  })

  test('other params are another stream, and the same ones are not', async () => {
    const { rerender } = render(app(<Count to={3} />))
    await screen.findByText('done 3 3')
    const { items } = state
    rerender(app(<Count to={3} />))
    expect(state.items).toBe(items)
    rerender(app(<Count to={4} />))
    await screen.findByText('done 4 4')
    expect(state.items).toEqual([1, 2, 3, 4])
  })

  test('a timeout written inline is no other stream', async () => {
    const heard: number[] = []
    const onItem = (item: number) => heard.push(item)
    const Timed = () => {
      state = useRpcStream('count', { to: null }, { timeout: { idle: 60_000 }, onItem })
      return null
    }
    render(app(<Timed />))
    await expect.poll(() => state.items.length).toBeGreaterThan(5)
    expect(heard.filter((item) => item === 1)).toHaveLength(1)
  })

  test('params with a state of their own are others unless they are the very same', async () => {
    /** Nobody sees from outside what it says, as with a `Temporal.PlainDate`. */
    class Limit {
      readonly #to: number
      constructor(to: number) {
        this.#to = to
      }
      toJSON() {
        return this.#to
      }
    }
    const three = new Limit(3) as unknown as number
    const { rerender } = render(app(<Count to={three} />))
    await screen.findByText('done 3 3')
    const { items } = state
    rerender(app(<Count to={three} />))
    expect(state.items).toBe(items)
    rerender(app(<Count to={new Limit(4) as unknown as number} />))
    await screen.findByText('done 4 4')
    expect(state.items).toEqual([1, 2, 3, 4])
  })

  test('params that are others at every render are an error that says what to do', async () => {
    class Limit {}
    const Endless = () => {
      useRpcStream('count', { to: new Limit() as unknown as number })
      return null
    }
    const silence = vi.spyOn(console, 'error').mockImplementation(() => {})
    expect(() => render(app(<Endless />))).toThrow(
      /^useRpcStream\("count"\) is given other params each time it renders.* keep it, with useMemo/,
    )
    silence.mockRestore()
  })

  test('may change its params as often as it renders', async () => {
    const { rerender } = render(app(<Count to={1} />))
    for (let to = 2; to <= 60; to++) rerender(app(<Count to={to} />))
    await screen.findByText('done 60 60')
  })

  test('begins again after its connection was lost, and shows what it had until then', async () => {
    const heard: number[] = []
    render(app(<Count to={null} onItem={(item) => heard.push(item)} />))
    await expect.poll(() => state.latest ?? 0).toBeGreaterThan(3)
    await server.stop()
    await expect.poll(() => state.status).toBe('waiting')
    const { latest = 0, items } = state
    expect(latest).toBeGreaterThan(3)
    expect(items.at(-1)).toBe(latest)
    const before = heard.length
    await server.restart()
    await expect.poll(() => state.status).toBe('streaming')
    // A stream from its beginning, of which nothing of the one before is left.
    expect(state.items[0]).toBe(1)
    expect(heard[before]).toBe(1)
  })

  test('or fails, where it is told not to', async () => {
    render(app(<Count to={null} restart={false} />))
    await expect.poll(() => state.status).toBe('streaming')
    await server.stop()
    await expect.poll(() => state.status).toBe('failed')
    expect(state.error).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    const { items, latest } = state
    await server.restart()
    state.restart()
    // What it had until then stays until there is a new item.
    await expect.poll(() => state.status).toBe('waiting')
    expect(state).toMatchObject({ items, latest, error: null })
    await expect.poll(() => state.status).toBe('streaming')
    expect(state.items[0]).toBe(1)
  })

  test('is asked for anew by restart(): after its end, while it goes on, and not while it is not enabled', async () => {
    const heard: number[] = []
    const onItem = (item: number) => heard.push(item)
    const { rerender } = render(app(<Count to={3} onItem={onItem} />))
    await screen.findByText('done 3 3')
    const { restart } = state
    restart()
    await expect.poll(() => heard).toEqual([1, 2, 3, 1, 2, 3])
    await screen.findByText('done 3 3')
    expect(state.items).toEqual([1, 2, 3])
    expect(state.restart).toBe(restart)

    rerender(app(<Count to={null} onItem={onItem} />))
    await expect.poll(() => state.latest ?? 0).toBeGreaterThan(3)
    const before = heard.length
    state.restart()
    await expect.poll(() => heard.slice(before)).toContain(1)
    await expect.poll(() => server.running()).toBe(1)

    rerender(app(<Count to={null} enabled={false} onItem={onItem} />))
    state.restart()
    await expect.poll(() => server.running()).toBe(0)
    expect(state.status).toBe('idle')
  })

  test('fails as its handler does', async () => {
    render(app(<Count to={'three' as unknown as number} />))
    await expect.poll(() => state.status).toBe('failed')
    expect(state.error).toMatchObject({ code: -32602, method: 'count' })
  })

  test('fails with a client that has stopped, and goes on with it', async () => {
    const client: Client<typeof contract.client, typeof contract.server> = createClient(contract, {
      url: server.url,
      retry: { maxAttempts: 1, minDelayMs: 1 },
    })
    await client.connect()
    render(
      <RpcProvider client={client}>
        <Count to={null} />
      </RpcProvider>,
    )
    await expect.poll(() => state.status).toBe('streaming')
    await server.stop()
    await expect.poll(() => client.state.status).toBe('failed')
    await expect.poll(() => state.status).toBe('failed')
    expect(state.error).toMatchObject({ name: 'RpcDisconnectedError' })
    await server.restart()
    await client.connect()
    await expect.poll(() => state.status).toBe('streaming')
    expect(state.error).toBeNull()
    cleanup()
    await client.close()
  })

  test('takes nothing while the page is hidden, and loses nothing', async () => {
    // Chromium hides no page that is tested: what it would say of it is said for it.
    const hide = (isHidden: boolean) => {
      const visibilityState = isHidden ? 'hidden' : 'visible'
      Object.defineProperty(document, 'visibilityState', {
        configurable: true,
        get: () => visibilityState,
      })
      document.dispatchEvent(new Event('visibilitychange'))
    }
    const heard: number[] = []
    try {
      render(app(<Count to={null} pauseWhenHidden onItem={(item) => heard.push(item)} />))
      await expect.poll(() => state.status).toBe('streaming')
      hide(true)
      await expect.poll(() => state.status).toBe('paused')
      // One may have been on its way through the turn.
      await new Promise((resolve) => setTimeout(resolve, 20))
      const before = heard.length
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(heard.length).toBe(before)
      hide(false)
      await expect.poll(() => heard.length).toBeGreaterThan(before + 5)
      expect(heard).toEqual(heard.map((_, index) => index + 1))
    } finally {
      Reflect.deleteProperty(document, 'visibilityState')
    }
  })

  test('is read while hidden, unless it is told not to be', async () => {
    const { unmount } = render(app(<Count to={null} />))
    await expect.poll(() => state.status).toBe('streaming')
    document.dispatchEvent(new Event('visibilitychange'))
    const { latest = 0 } = state
    await expect.poll(() => state.latest ?? 0).toBeGreaterThan(latest)
    unmount()
    await expect.poll(() => server.running()).toBe(0)
  })

  test('has a timeout, where it is given one', async () => {
    render(app(<Count to={null} timeout={50} />))
    await expect.poll(() => state.status).toBe('failed')
    expect(state.error).toMatchObject({ name: 'RpcTimeoutError' })
  })
})
