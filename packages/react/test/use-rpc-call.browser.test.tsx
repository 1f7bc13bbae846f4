import './support/register.js'
import type { RpcAbortedError } from '@flashrpc/core'
import { type RpcCall, useRpcCall } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { type ReactNode, useEffect } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'
import { StrictApp } from './support/strict-app.js'

type Report = RpcCall<typeof contract.server.report>

let server: TestServer
/** What the component has from the hook, as of its newest render, and all that it has rendered. */
let hook: Report
let renders: string[]
let unhandled: unknown[]

const onUnhandled = (event: PromiseRejectionEvent) => {
  unhandled.push(event.reason)
  event.preventDefault()
}

beforeEach(async () => {
  server = await startServer()
  renders = []
  unhandled = []
  addEventListener('unhandledrejection', onUnhandled)
})

afterEach(async () => {
  cleanup()
  await server[Symbol.asyncDispose]()
  removeEventListener('unhandledrejection', onUnhandled)
  expect(unhandled).toEqual([])
})

function Report() {
  hook = useRpcCall('report')
  const { data, error, isPending, progress } = hook
  const shown = `${data ?? 'no data'}, ${error?.name ?? 'no error'}, ${isPending ? `at ${progress ?? 0} %` : 'idle'}`
  renders.push(shown)
  return <p>{shown}</p>
}

/** A button that passes its event on to a call. */
function Called({ buttonOf }: { buttonOf: (call: Report['call']) => ReactNode }) {
  const { call, error } = useRpcCall('report')
  return (
    <p>
      {buttonOf(call)} {error?.message}
    </p>
  )
}

function app(children: ReactNode) {
  return <StrictApp url={server.url}>{children}</StrictApp>
}

const LONG = 60_000

describe('useRpcCall', () => {
  test('calls, tells of the progress, and has the result', async () => {
    render(app(<Report />))
    await screen.findByText('no data, no error, idle')
    const result = hook.call({ name: 'a', steps: 4 })
    expect(await result).toBe('report a')
    await screen.findByText('report a, no error, idle')
    expect(hook.progress).toBe(100)
    expect(renders).toContain('no data, no error, at 0 %')
  })

  test.each([
    [
      'React',
      (call: Report['call']) => <button type="button" onClick={call as unknown as () => void} />,
    ],
    [
      'the browser',
      (call: Report['call']) => (
        <button
          type="button"
          ref={(button) => void button?.addEventListener('click', call as unknown as () => void)}
        />
      ),
    ],
  ])('its error says that an event of %s is no params', async (_, buttonOf) => {
    render(app(<Called buttonOf={buttonOf} />))
    screen.getByRole('button').click()
    await screen.findByText(
      /^The params of "report" are an event: .* Write onClick=\{\(\) => call\(\)\}$/,
    )
  })

  test('its functions are the same at every render', async () => {
    render(app(<Report />))
    const { call, cancel, reset } = hook
    await call({ name: 'a', steps: 1 })
    await screen.findByText('report a, no error, idle')
    expect([hook.call, hook.cancel, hook.reset]).toEqual([call, cancel, reset])
    expect(hook.call).toBe(call)
  })

  test('a timeout written inline keeps the function, and the newest one counts', async () => {
    const seen = new Set<unknown>()
    let slow: RpcCall<typeof contract.server.slow> | undefined
    const Slow = ({ ms }: { ms: number }) => {
      slow = useRpcCall('slow', { timeout: { total: ms } })
      seen.add(slow.call)
      return <p>{slow.error?.name ?? slow.data ?? 'nothing yet'}</p>
    }
    const { rerender } = render(app(<Slow ms={LONG} />))
    await screen.findByText('connected')
    rerender(app(<Slow ms={10} />))
    void slow?.call({ ms: LONG })
    await screen.findByText('RpcTimeoutError')
    expect(seen.size).toBe(1)
  })

  test('the newest call wins, and gives up the one before', async () => {
    render(app(<Report />))
    const first = hook.call({ name: 'first', steps: 2, ms: LONG })
    await screen.findByText('no data, no error, at 100 %')
    const second = hook.call({ name: 'second', steps: 0 })
    await expect(first).rejects.toMatchObject({ name: 'RpcAbortedError' })
    expect(await second).toBe('report second')
    await screen.findByText('report second, no error, idle')
    await expect.poll(() => server.running()).toBe(0)
    expect(renders.join()).not.toContain('first')
    expect(renders.join()).not.toContain('Error')
  })

  test('of many calls in one turn the last one counts', async () => {
    render(app(<Report />))
    await screen.findByText('connected')
    const calls = Array.from({ length: 100 }, (_, n) => hook.call({ name: `${n}`, steps: 1 }))
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.slice(0, -1).every(({ status }) => status === 'rejected')).toBe(true)
    expect(outcomes.at(-1)).toEqual({ status: 'fulfilled', value: 'report 99' })
    await screen.findByText('report 99, no error, idle')
  })

  test('data stay while the next call runs, and when it fails', async () => {
    render(app(<Report />))
    await hook.call({ name: 'a', steps: 0 })
    await screen.findByText('report a, no error, idle')
    void hook.call({ name: 'b', steps: 1, ms: LONG })
    await screen.findByText('report a, no error, at 100 %')
    void hook.call({ name: 'c', steps: 'x' as unknown as number })
    await screen.findByText('report a, RpcError, idle')
    expect(hook.error).toMatchObject({ code: -32602, method: 'report' })
    await hook.call({ name: 'd', steps: 0 })
    await screen.findByText('report d, no error, idle')
  })

  test('cancel gives it up; that is no error, but for who waits', async () => {
    render(app(<Report />))
    const call = hook.call({ name: 'a', steps: 1, ms: LONG })
    await screen.findByText('no data, no error, at 100 %')
    expect(await server.running()).toBe(1)
    hook.cancel()
    await screen.findByText('no data, no error, idle')
    expect(await call.catch((error: RpcAbortedError) => error.outcome)).toBe('maybe-executed')
    await expect.poll(() => server.running()).toBe(0)
  })

  test('a signal gives it up, too', async () => {
    render(app(<Report />))
    const controller = new AbortController()
    const call = hook.call({ name: 'a', steps: 1, ms: LONG }, { signal: controller.signal })
    await screen.findByText('no data, no error, at 100 %')
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'RpcAbortedError' })
    await screen.findByText('no data, no error, idle')
    await expect(
      hook.call({ name: 'b', steps: 1 }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: 'RpcAbortedError', outcome: 'not-sent' })
  })

  test('reset forgets what came', async () => {
    render(app(<Report />))
    await hook.call({ name: 'a', steps: 0 })
    await screen.findByText('report a, no error, idle')
    hook.reset()
    await screen.findByText('no data, no error, idle')
  })

  test('unmounting gives it up, and nothing complains that nobody waits', async () => {
    const { rerender } = render(app(<Report />))
    const call = hook.call({ name: 'a', steps: 1, ms: LONG })
    await screen.findByText('no data, no error, at 100 %')
    rerender(app(null))
    await expect(call).rejects.toMatchObject({ name: 'RpcAbortedError' })
    await expect.poll(() => server.running()).toBe(0)
    rerender(app(<Report />))
    await screen.findByText('no data, no error, idle')
  })

  test('called in an effect, it is called again under StrictMode, and ends once', async () => {
    const OnMount = () => {
      const { call, data } = useRpcCall('visits')
      useEffect(() => void call(), [call])
      return <p>visits: {data}</p>
    }
    render(app(<OnMount />))
    // The first of the two was given up before it was sent: there is no connection yet.
    await screen.findByText('visits: 1')
  })

  test('a lost connection is an error that says whether it may have run', async () => {
    render(app(<Report />))
    void hook.call({ name: 'a', steps: 1, ms: LONG })
    await screen.findByText('no data, no error, at 100 %')
    await server.stop()
    await screen.findByText('no data, RpcDisconnectedError, idle')
    expect(hook.error).toMatchObject({ outcome: 'maybe-executed' })
    // The next one waits for the server.
    const next = hook.call({ name: 'b', steps: 0 })
    await screen.findByText('no data, no error, at 0 %')
    await server.restart()
    expect(await next).toBe('report b')
  })

  test('has a timeout for all its calls, and one of them another', async () => {
    let slow: RpcCall<typeof contract.server.slow> | undefined
    const Slow = () => {
      slow = useRpcCall('slow', { timeout: 10 })
      return <p>{slow.error?.name ?? slow.data ?? 'nothing yet'}</p>
    }
    render(app(<Slow />))
    await screen.findByText('connected')
    void slow?.call({ ms: LONG })
    await screen.findByText('RpcTimeoutError')
    void slow?.call({ ms: 20 }, { timeout: LONG })
    await screen.findByText('done')
  })
})
