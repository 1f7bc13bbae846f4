import { type CloseInfo, RpcDisconnectedError, RpcError } from '@flashrpc/core'
import type { ElectronPage } from '@flashrpc/electron/main'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startDesktop, type TestChannel } from './support/desktop.js'
import { eventually } from './support/eventually.js'
import { rejection } from './support/rejection.js'

/** What users of others complain about stands in brackets. */

let desktop: Awaited<ReturnType<typeof startDesktop>>
beforeAll(async () => {
  desktop = await startDesktop()
}, 60_000)
afterEach(() => desktop.reset())
afterAll(() => desktop?.bench.close())

/** A page with a call of its own in flight, and one of main's to it. */
async function inFlight(name: string) {
  const host = desktop.host()
  const events: string[] = []
  host.on('connect', () => events.push('connect'))
  const reasons: CloseInfo[] = []
  host.on('disconnect', (_, reason) => {
    events.push('disconnect')
    reasons.push(reason)
  })
  const { window, page } = await desktop.open()
  const channel = await host.whenConnected(window)
  const toPage = rejection(channel.other.never({ text: name }))
  const toMain = page
    .evaluate(
      (text) =>
        app.client.other.never({ text }).catch(({ name, outcome, message }) => ({
          name,
          outcome,
          message,
        })),
      name,
    )
    .catch(() => 'the page is gone')
  await eventually(() => expect(channel.running).toBe(1))
  return { host, window, page, channel, toPage, toMain, events, reasons }
}

function expectCut(error: unknown): void {
  expect(error).toBeInstanceOf(RpcDisconnectedError)
  expect(error).toMatchObject({ outcome: 'maybe-executed', method: 'never' })
}

/** How many listeners a window has for the events that a host watches. */
function watchers({ webContents }: Electron.BrowserWindow): number {
  const names = ['did-start-navigation', 'did-navigate', 'render-process-gone', 'destroyed']
  return names.reduce((sum, name) => sum + webContents.listenerCount(name), 0)
}

describe('a reload with calls in flight (electron-trpc#164, #124)', () => {
  test('ends them on both sides, and the page that comes has a channel of its own', async () => {
    const { host, window, page, channel, toPage, events, reasons } = await inFlight('reload')
    await page.reload()
    expectCut(await toPage)
    await eventually(() => expect(desktop.aborted).toContain('reload'))
    const next = await host.whenConnected(window)
    expect(next).not.toBe(channel)
    expect(next.otherId).not.toBe(channel.otherId)
    expect(await next.other.title()).toBe('page')
    expect(host.channels.size).toBe(1)
    expect(events).toEqual(['connect', 'disconnect', 'connect'])
    expect(reasons).toHaveLength(1)
    window.destroy()
    await host.close()
  })

  test('leaves nothing behind, however often', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    const first = await host.whenConnected(window)
    const before = watchers(window)
    const seen = new Set<TestChannel>([first])
    for (let n = 0; n < 20; n++) {
      await page.reload()
      await eventually(() => expect(seen.has(host.channelOf(window))).toBe(false))
      seen.add(await host.whenConnected(window))
    }
    expect(host.channels.size).toBe(1)
    expect(watchers(window)).toBe(before)
    expect([...seen].filter(({ isConnected }) => isConnected)).toHaveLength(1)
    window.destroy()
  })
})

describe('a navigation that never commits (electron-trpc#200)', () => {
  test.each(['nothing', 'download'])('to /%s cuts nothing', async (path) => {
    const { host, window, page, channel, toMain, toPage } = await inFlight(path)
    const started = new Promise((resolve) => {
      window.webContents.once('did-start-navigation', resolve)
    })
    await page.evaluate((to) => {
      location.href = `/${to}`
    }, path)
    await started
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(host.channelOf(window)).toBe(channel)
    expect(channel.running).toBe(1)
    expect(await channel.other.title()).toBe('page')
    expect(await page.evaluate(() => app.client.other.echo({ text: 'still' }))).toBe('still')
    await host.close()
    expectCut(await toPage)
    expect(await toMain).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    window.destroy()
  })

  test('within the page cuts nothing', async () => {
    const { host, window, page, channel, toPage } = await inFlight('within')
    await page.evaluate(() => {
      history.pushState({}, '', '/elsewhere')
      location.hash = 'here'
    })
    await eventually(() => expect(window.webContents.getURL()).toBe('app://demo/elsewhere#here'))
    expect(await channel.other.title()).toBe('page')
    expect(channel.running).toBe(1)
    await host.close()
    expectCut(await toPage)
    window.destroy()
  })
})

describe('a page that ends', () => {
  test('by going to another origin takes its channel along', async () => {
    const { host, window, toPage } = await inFlight('elsewhere')
    await window.loadURL('http://elsewhere.test/blank')
    expectCut(await toPage)
    expect(host.channels.size).toBe(0)
    expect(await rejection(host.channelOf(window).other.title())).toMatchObject({
      message: expect.stringMatching(/No page of this window is connected/),
    })
    window.destroy()
    await host.close()
  })

  test('with its window (electron-trpc#156, #197)', async () => {
    const { host, window, toPage, channel, events } = await inFlight('destroyed')
    window.destroy()
    expectCut(await toPage)
    expect(host.channels.size).toBe(0)
    expect(channel.isConnected).toBe(false)
    await eventually(() => expect(events).toEqual(['connect', 'disconnect']))
    await eventually(() => expect(desktop.aborted).toContain('destroyed'))
    expect(await host.all.call('title', undefined)).toEqual([])
    await host.close()
  })

  test('by a crash of its process; reloaded, it is back', async () => {
    const { host, window, toPage, events } = await inFlight('crash')
    await desktop.bench.crash(window)
    const error = await toPage
    expectCut(error)
    await eventually(() => expect(desktop.aborted).toContain('crash'))
    expect(host.channels.size).toBe(0)
    await window.loadURL('app://demo/')
    expect(await (await host.whenConnected(window)).other.title()).toBe('page')
    expect(events).toEqual(['connect', 'disconnect', 'connect'])
    window.destroy()
    await host.close()
  })
})

test('a page that ends while main finds out who it is never connects', async () => {
  const asked: (() => void)[] = []
  const identify = (page: ElectronPage) =>
    new Promise<ElectronPage>((resolve) => asked.push(() => resolve(page)))
  await using host = desktop.host({ identify })
  const connect = vi.fn()
  host.on('connect', connect)
  const { window, page } = await desktop.open()
  await eventually(() => expect(asked).toHaveLength(1))
  await page.goto('about:blank')
  await new Promise((resolve) => setTimeout(resolve, 200))
  asked[0]?.()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(host.channels.size).toBe(0)
  expect(connect).not.toHaveBeenCalled()
  window.destroy()
})

describe('an identify that takes longer than a page waits', () => {
  /** The questions to `identify`, and the functions that answer them. */
  function deciding() {
    const asked: {
      resolve: (page: unknown) => void
      reject: (error: unknown) => void
      page: ElectronPage
    }[] = []
    const identify = (page: ElectronPage) =>
      new Promise((resolve, reject) => asked.push({ resolve, reject, page }))
    return { asked, host: desktop.host({ identify: identify as never }) }
  }
  /** Longer than a page waits for a main that does not answer. */
  const LONG_MS = 7_000
  const stateOf = (page: { evaluate<T>(run: () => T): Promise<T> }) =>
    page.evaluate(() => ({
      status: app.client.state.status,
      attempt: app.client.state.attempt,
      why: app.client.state.lastError?.message,
    }))

  test('lets the page in in the end, and is asked once', async () => {
    const { asked, host } = deciding()
    const { window, page } = await desktop.open()
    await eventually(() => expect(asked).toHaveLength(1))
    await new Promise((resolve) => setTimeout(resolve, LONG_MS))
    expect(asked).toHaveLength(1)
    expect(await stateOf(page)).toMatchObject({ status: 'connecting', why: undefined })
    asked[0]?.resolve(asked[0].page)
    const channel = await host.whenConnected(window, { timeout: 15_000 })
    expect(await channel.other.title()).toBe('page')
    expect(asked).toHaveLength(1)
    window.destroy()
  })

  test('is joined by the attempts that follow one that has taken too long', async () => {
    const { asked, host } = deciding()
    const { window, page } = await desktop.open('app://demo/?connectTimeoutMs=500')
    await eventually(async () => expect((await stateOf(page)).attempt).toBeGreaterThan(3))
    expect(asked).toHaveLength(1)
    asked[0]?.resolve(asked[0].page)
    const channel = await host.whenConnected(window, { timeout: 15_000 })
    expect(await channel.other.title()).toBe('page')
    expect(asked).toHaveLength(1)
    // For another page, `identify` is called again.
    await window.loadURL('app://demo/?connectTimeoutMs=500')
    await eventually(() => expect(asked).toHaveLength(2))
    window.destroy()
  })

  test('refuses the page in the end, whichever attempt is under way', async () => {
    const { asked, host } = deciding()
    const refused = vi.fn()
    host.on('refused', refused)
    const { window, page } = await desktop.open('app://demo/?connectTimeoutMs=500')
    await eventually(async () => expect((await stateOf(page)).attempt).toBeGreaterThan(3))
    asked[0]?.reject(new RpcError(1, 'Not with this key'))
    await eventually(async () =>
      expect(await stateOf(page)).toMatchObject({ status: 'failed', why: 'Not with this key' }),
    )
    expect(asked).toHaveLength(1)
    expect(refused).toHaveBeenCalledOnce()
    window.destroy()
  })
})

describe('a connection that is closed', () => {
  test('by the page', async () => {
    const { host, window, page, toPage, toMain } = await inFlight('by the page')
    await page.evaluate(() => app.client.close())
    expectCut(await toPage)
    expect(await toMain).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    await eventually(() => expect(host.channels.size).toBe(0))
    expect(desktop.aborted).toContain('by the page')
    window.destroy()
    await host.close()
  })

  test('by main: the page learns why, and comes back', async () => {
    const { host, window, page, channel, toPage, toMain } = await inFlight('by main')
    await channel.close(4000, 'Enough')
    expectCut(await toPage)
    expect(await toMain).toMatchObject({
      outcome: 'maybe-executed',
      message: expect.stringMatching(/4000: Enough/),
    })
    const next = await host.whenConnected(window)
    expect(next).not.toBe(channel)
    // A client's id stays: main can tell that it is the same page.
    expect(next.otherId).toBe(channel.otherId)
    await eventually(async () =>
      expect(await page.evaluate(() => app.client.state.status)).toBe('connected'),
    )
    window.destroy()
    await host.close()
  })

  test('by another of the same page, which takes its place: the first stops, and says why', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    const first = await host.whenConnected(window)
    const state = await page.evaluate(async () => {
      const second = app.connect().client
      await second.connect()
      const { status, lastError } = app.client.state
      return {
        status,
        why: lastError?.message,
        closeCode: Reflect.get(lastError ?? {}, 'closeCode'),
      }
    })
    expect(state).toEqual({
      status: 'failed',
      why: expect.stringMatching(/Another connection of this page has taken its place/),
      closeCode: 4409,
    })
    expect(host.channels.size).toBe(1)
    expect(host.channelOf(window)).not.toBe(first)
    window.destroy()
  })
})

describe('main closing', () => {
  test('finishes what runs, if it may, and tells the pages', async () => {
    let answer = (_: string): void => {}
    const host = desktop.host({
      methods: {
        echo: () => new Promise<string>((resolve) => (answer = resolve)),
      } as never,
    })
    const { window, page } = await desktop.open()
    const channel = await host.whenConnected(window)
    const asked = page.evaluate(() => app.client.other.echo({ text: '' }))
    await eventually(() => expect(channel.running).toBe(1))
    const closed = host.close({ drain: 10_000 })
    const { page: late } = await desktop.open()
    await eventually(async () =>
      expect(await late.evaluate(() => app.client.state.lastError?.message)).toBe(
        'Main is closing',
      ),
    )
    answer('finished')
    expect(await asked).toBe('finished')
    await closed
    await host.close()
    expect(channel.isConnected).toBe(false)
    await eventually(async () =>
      expect(await page.evaluate(() => app.client.state.lastError?.message)).toMatch(
        /Main is closing|Main does not answer|has nothing/,
      ),
    )
    window.destroy()
  })

  test('retires its channels first, and waits for no stream', async () => {
    let answer = (_: string): void => {}
    const ran: string[] = []
    const host = desktop.host({
      methods: {
        echo: ({ text }: { text: string }) => {
          ran.push(text)
          return new Promise<string>((resolve) => (answer = resolve))
        },
        async *count(_: unknown, { signal }: { signal: AbortSignal }) {
          for (let n = 0; !signal.aborted; n++) {
            yield n
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
        },
      } as never,
    })
    const { window, page } = await desktop.open()
    const channel = await host.whenConnected(window)
    // A stream without an end and a call are running.
    await page.evaluate(() => {
      const state = { items: 0, late: '' }
      Object.assign(globalThis, { state })
      void (async () => {
        for await (const _ of app.client.other.count({ text: 'endless' })) state.items++
      })().catch(() => {})
    })
    const asked = page.evaluate(() => app.client.other.echo({ text: 'early' }))
    await eventually(() => expect(channel.running).toBe(2))
    const began = performance.now()
    const closed = host.close({ drain: 20_000 })
    // A new call waits for another connection, and is not run.
    // If the page asks while there is no host, main does not answer, and the page asks again after 5 s.
    void page.evaluate(() => {
      void app.client.other.echo({ text: 'late' }, { timeout: 40_000 }).catch(() => {})
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(channel.isConnected).toBe(true)
    expect(ran).toEqual(['early'])
    answer('finished')
    expect(await asked).toBe('finished')
    await closed
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(ran).toEqual(['early'])
    await using second = desktop.host({
      methods: {
        echo: ({ text }: { text: string }) => {
          ran.push(text)
          return text
        },
      } as never,
    })
    await second.whenConnected(window, { timeout: 15_000 })
    await eventually(() => expect(ran).toEqual(['early', 'late']))
    window.destroy()
  }, 60_000)

  test('and beginning again: the page comes back by itself', async () => {
    const first = desktop.host()
    const { window, page } = await desktop.open()
    await first.whenConnected(window)
    const waiting = rejection(first.whenConnected(new desktop.bench.electron.BrowserWindow()))
    await first.close()
    expect(await waiting).toMatchObject({ message: 'The host was closed' })
    await using second = desktop.host()
    const channel = await second.whenConnected(window, { timeout: 15_000 })
    expect(await channel.other.title()).toBe('page')
    expect(await page.evaluate(() => app.client.other.echo({ text: 'back' }))).toBe('back')
    window.destroy()
  }, 30_000)
})
