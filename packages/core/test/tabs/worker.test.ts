import { MessageChannel } from 'node:worker_threads'
import { createClient, RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import { betweenTabs, serveTabs } from '@flashrpc/core/tabs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { SharedLink, type SharedWorkerLike } from '../../src/tabs/shared-link.js'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import { until } from '../support/until.js'
import { Scene, twoTabs, worker } from './scene.js'

afterEach(() => vi.unstubAllGlobals())

const PATIENT = { minDelayMs: 60_000, maxDelayMs: 60_000 }

describe('a worker', () => {
  test('that dies is followed by another: what it had may have run, and calls go through again', async () => {
    const { scene, shared, first, second } = await twoTabs()
    const cut = rejection(first.other.wait({ name: 'cut' }))
    await polled(() => scene.ran).toEqual(['cut'])
    const down = [first, second].map((tab) => until(tab, 'reconnecting'))
    shared.close()
    for (const { lastError } of await Promise.all(down)) {
      expect(lastError?.message).toMatch(/the shared worker is gone/)
    }
    expect(await cut).toBeInstanceOf(RpcDisconnectedError)
    expect(await cut).toMatchObject({ outcome: 'maybe-executed' })
    expect(await second.other.add({ a: 1, b: 2 })).toBe(3)
    expect(await first.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('that says nothing, or fails to start, is an attempt that failed, and says what to look at', async () => {
    const scene = await Scene.open()
    const workers: [SharedWorkerLike, RegExp][] = [
      [
        { port: new MessageChannel().port1 },
        /said nothing for 50 ms: see whether .* calls serveTabs/,
      ],
      [
        {
          port: new MessageChannel().port1,
          addEventListener: (_, listener) => queueMicrotask(listener),
        },
        /the shared worker failed: see whether its script is served/,
      ],
    ]
    for (const [silent, message] of workers) {
      const tab = scene.tab(worker(), {
        connectTimeoutMs: 50,
        retry: PATIENT,
        share: { createLink: (options, events) => new SharedLink(() => silent, options, events) },
      })
      await polled(() => tab.state.lastError?.message).toMatch(message)
      expect(tab.state.retryAt).toBeGreaterThan(Date.now())
      await tab.close()
      silent.port.close()
    }
  })

  test('that is told by no lock of a tab that dies asks it for signs of life', async () => {
    // As on a page that is not secure; newer Node has locks, too.
    vi.stubGlobal('navigator', {})
    const scene = await Scene.open()
    const shared = worker({ heartbeat: { intervalMs: 20, timeoutMs: 20 } }, 50)
    const { share, die } = shared.mortalShare()
    const dying = scene.tab(shared, { share })
    const living = scene.tab(shared)
    const last = dying.other.wait({ name: 'its' }).catch(() => {})
    const kept = living.other.wait({ name: 'another' })
    await polled(() => scene.ran).toHaveLength(2)
    die()
    await polled(() => scene.aborted).toEqual(['its'])
    scene.finish('another')
    expect(await kept).toBe('another is done')
    await dying.close()
    await last
  })

  test('is told the address by its tabs, each time anew', async () => {
    const scene = await Scene.open()
    let asked = 0
    const tab = scene.tab(worker(), {
      url: () => {
        if (++asked === 1) throw new Error('No token yet')
        return scene.proxy.url()
      },
    })
    await tab.connect()
    expect(asked).toBe(2)
    const failing = scene.tab(worker({ retry: PATIENT }), { url: () => 'http://127.0.0.1' })
    await polled(() => failing.state.lastError?.message).toMatch(/url must begin with ws: or wss:/)
  })
})

describe('where there is no SharedWorker', () => {
  const createWorker = () => new SharedWorker('rpc.worker.js')

  test('each tab has a connection of its own', async () => {
    const scene = await Scene.open()
    const share = betweenTabs(createWorker)
    expect(await scene.tab(worker(), { share }).other.add({ a: 1, b: 2 })).toBe(3)
    vi.stubGlobal('SharedWorker', function refuse() {
      throw new DOMException('Not here', 'SecurityError')
    })
    expect(await scene.tab(worker(), { share }).other.add({ a: 1, b: 2 })).toBe(3)
    expect(scene.endpoint.channels.size).toBe(2)
  })

  test('what fails to make one otherwise is told', async () => {
    vi.stubGlobal('SharedWorker', function fail() {
      throw new DOMException('No address', 'SyntaxError')
    })
    const scene = await Scene.open()
    const tab = scene.tab(worker(), { share: betweenTabs(createWorker), retry: PATIENT })
    await polled(() => tab.state.lastError?.message).toMatch(/No address/)
  })
})

describe('what is used wrongly says how it is meant', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['serveTabs in a page', () => serveTabs(), /is for the script of a SharedWorker/],
    ['betweenTabs of no function', () => betweenTabs('worker.js' as never), /takes a function/],
    [
      'share with a transport',
      () =>
        createClient({
          transport: () => undefined as never,
          share: betweenTabs(() => undefined as never),
        }),
      /share goes with a url/,
    ],
    [
      'share of something else',
      () => createClient({ url: 'ws://127.0.0.1', share: {} as never }),
      /betweenTabs\(\)/,
    ],
    [
      'a wrong option of the worker',
      () => worker({ retry: { minDelayMs: -1 } }),
      /retry\.minDelayMs/,
    ],
  ])('%s', (_, misuse, message) => {
    expect(misuse).toThrow(RpcConfigError)
    expect(misuse).toThrow(message)
  })
})
