import { MessageChannel } from 'node:worker_threads'
import { createClient, RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import { betweenTabs, serveTabs } from '@flashrpc/core/tabs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Share } from '../../src/client/share.js'
import type { SharedWorkerLike } from '../../src/tabs/shared-connector.js'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import { until } from '../support/until.js'
import { Scene, twoTabs, worker } from './scene.js'
import { shared } from './worker.js'

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
        share: {
          createConnector: (options, events, createOwn) =>
            shared(() => silent, options, events, createOwn),
        },
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
    const shared = worker({ heartbeat: { intervalMs: 20, timeoutMs: 1_000 } }, 50)
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

describe('a tab has a connection of its own', () => {
  const warnings = () => {
    const lines: string[] = []
    const note = (line: string) => void lines.push(line)
    return { lines, logger: { debug: () => {}, warn: note, error: note } }
  }
  const userShare = (made: ReturnType<typeof worker>, user: string | (() => string)) => ({
    createConnector: ((options, events, createOwn) =>
      made.share.createConnector(
        { ...options, user } as never,
        events,
        createOwn,
      )) as Share['createConnector'],
  })

  test('where the worker has that of another user, and says so', async () => {
    const identities: unknown[] = []
    const scene = await Scene.open({
      authenticate: ({ url }) => new URL(url ?? '', 'ws://x').searchParams.get('user'),
      onConnect: [({ identity }) => identities.push(identity)],
    })
    const made = worker()
    const { lines, logger } = warnings()
    const tabOf = (user: string, options = {}) =>
      scene.tab(made, { url: `${scene.proxy.url()}?user=${user}`, logger, ...options })
    const ada = tabOf('ada')
    await ada.connect()
    const alsoAda = tabOf('ada')
    await alsoAda.connect()
    expect(scene.endpoint.channels.size).toBe(1)
    expect(lines).toEqual([])
    const bob = tabOf('bob')
    await bob.connect()
    expect(await bob.other.add({ a: 1, b: 2 })).toBe(3)
    expect(identities).toEqual(['ada', 'bob'])
    expect(scene.endpoint.channels.size).toBe(2)
    expect(lines).toEqual([expect.stringMatching(/connection of its own: .*another user/)])
    expect(bob.state.sessionId).not.toBe(ada.state.sessionId)
    // The other tab's connection goes on when this one ends.
    await Promise.all([ada.close(), alsoAda.close()])
    expect(await bob.other.add({ a: 1, b: 2 })).toBe(3)
    await polled(() => scene.endpoint.channels.size).toBe(1)
    // Its own connection is lost and comes back, as any client's does.
    scene.proxy.cut()
    expect(await bob.other.add({ a: 2, b: 2 })).toBe(4)
    // The worker is free for the next user.
    await tabOf('carol').connect()
    await tabOf('carol').connect()
    expect(identities.filter((one) => one === 'carol')).toHaveLength(1)
  })

  test('where `user` says that it is another one, whatever the url', async () => {
    const scene = await Scene.open()
    const made = worker()
    let minted = 0
    const url = () => `${scene.proxy.url()}?token=${++minted}`
    const first = scene.tab(made, { url, share: userShare(made, 'ada') })
    await first.connect()
    const second = scene.tab(made, { url, share: userShare(made, () => 'ada') })
    await second.connect()
    expect(scene.endpoint.channels.size).toBe(1)
    const third = scene.tab(made, { url, share: userShare(made, 'bob') })
    await third.connect()
    expect(scene.endpoint.channels.size).toBe(2)
  })

  test('where the worker is of another version, and says so', async () => {
    const scene = await Scene.open()
    for (const v of [undefined, 1, 3, '2']) {
      const { port1, port2 } = new MessageChannel()
      port2.on('message', () => {})
      port2.postMessage({ flashrpc: 'worker', lock: undefined, ...(v !== undefined && { v }) })
      const { lines, logger } = warnings()
      const tab = scene.tab(worker(), {
        logger,
        share: {
          createConnector: (options, events, createOwn) =>
            shared(() => ({ port: port1 }), options, events, createOwn),
        },
      })
      expect(await tab.other.add({ a: 1, b: 2 })).toBe(3)
      expect(lines).toEqual([expect.stringMatching(/of another version of flashrpc/)])
      await tab.close()
      port2.close()
    }
  })

  test('where no worker can be had after a few tries, and says so', async () => {
    const scene = await Scene.open()
    for (const isSilent of [true, false]) {
      let made = 0
      const { lines, logger } = warnings()
      const tab = scene.tab(worker(), {
        connectTimeoutMs: 200,
        logger,
        share: {
          createConnector: (options, events, createOwn) =>
            shared(
              () => {
                made++
                return {
                  port: new MessageChannel().port1,
                  ...(!isSilent && {
                    addEventListener: (_: string, listener: () => void) => queueMicrotask(listener),
                  }),
                }
              },
              options,
              events,
              createOwn,
            ),
        },
      })
      expect(await tab.other.add({ a: 1, b: 2 })).toBe(3)
      expect(made).toBe(3)
      expect(lines.at(-1)).toMatch(/connection of its own: the shared worker .*\(3 times\)/)
      await tab.close()
    }
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
    [
      'betweenTabs of a user that is none',
      () => betweenTabs(() => undefined as never, { user: 5 as never }),
      /user must be a string/,
    ],
    ['betweenTabs of no function', () => betweenTabs('worker.js' as never), /takes a function/],
    [
      'share with a transport',
      () =>
        createClient({
          transport: () => undefined as never,
          share: betweenTabs(() => undefined as never),
        }),
      /share is only for a client with a url/,
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
