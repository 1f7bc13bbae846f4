import {
  type Middleware,
  RpcDisconnectedError,
  type RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
} from '@flashrpc/core'
import { createElectronHost, type ElectronPage } from '@flashrpc/electron/main'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { contract } from './support/contract.js'
import { PRELOAD, startDesktop } from './support/desktop.js'
import { eventually } from './support/eventually.js'
import { rejection } from './support/rejection.js'

let desktop: Awaited<ReturnType<typeof startDesktop>>
beforeAll(async () => {
  desktop = await startDesktop()
}, 60_000)
afterEach(() => desktop.reset())
afterAll(() => desktop?.bench.close())

describe('main and a page call each other', () => {
  test('the page calls main, and main calls the page, while the call runs too', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    expect(await page.evaluate(() => app.client.other.echo({ text: 'hi' }))).toBe('hi')
    const channel = await host.whenConnected(window)
    expect(await channel.other.title()).toBe('page')
    expect(await host.channelOf(window).other.echo({ text: 'ho' })).toBe('ho')
    expect(await page.evaluate(() => app.client.other.who())).toEqual({
      origin: 'app://demo',
      title: 'page',
    })
    window.destroy()
  })

  test('through the middleware of main, which knows the page', async () => {
    const seen: unknown[] = []
    const use: Middleware = ({ direction, method, identity }, next) => {
      seen.push([direction, method, (identity as ElectronPage).frame.origin])
      return next()
    }
    await using _ = desktop.host({ use })
    const { window, page } = await desktop.open()
    await page.evaluate(() => app.client.other.who())
    expect(seen).toEqual([
      ['in', 'who', 'app://demo'],
      ['out', 'title', 'app://demo'],
    ])
    window.destroy()
  })

  test('channelOf says what it got', async () => {
    await using host = desktop.host()
    for (const target of [undefined, null, 5, {}, { webContents: {} }]) {
      expect(() => host.channelOf(target as never)).toThrow(/must be a BrowserWindow.*It is /)
      expect(await rejection(host.whenConnected(target as never))).toMatchObject({
        name: 'RpcConfigError',
      })
    }
    const window = new desktop.bench.electron.BrowserWindow()
    window.destroy()
    const gone = host.channelOf(window as never)
    expect(await rejection(gone.other.title())).toMatchObject({
      message: expect.stringContaining('The window is gone'),
    })
  })

  test('main tells what it can be called for where it is asked to', async () => {
    const silent = desktop.host()
    const { window, page } = await desktop.open('app://demo/?manual')
    expect(await page.evaluate(() => app.discover())).toBe(-32601)
    await silent.close()
    await using _ = desktop.host({ discover: true, authorize: (method) => method !== 'fail' })
    const names = await page.evaluate(() => app.discover())
    expect(names).toContain('echo')
    expect(names).not.toContain('fail')
    window.destroy()
    expect(() => desktop.host({ name: 'other', discover: 'yes' as never })).toThrow(
      /discover must be/,
    )
  })

  test('main can call as soon as it has made a window', async () => {
    await using host = desktop.host()
    const opening = desktop.open()
    const { window } = await opening
    const channel = await host.whenConnected(window)
    expect(await channel.other.title()).toBe('page')
    window.destroy()
  })

  test('methods of groups are called by their paths, with bytes, streams and validation', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    const answers = await page.evaluate(async () => {
      const { files } = app.client.other
      const items: unknown[] = [...(await files.reverse({ bytes: Uint8Array.of(1, 2) }))]
      for await (const n of files.lines.count({ upTo: 2 })) items.push(n)
      for await (const n of app.client.stream('files.lines.count', { upTo: 1 })) items.push(n)
      items.push(await files.lines.ask({ text: 'sure' }))
      items.push(await app.client.call('files.lines.ask', { text: 'yes' }))
      const wrong = await files.lines.ask({ text: 5 } as never).catch((error) => error)
      return [...items, wrong.code, wrong.method]
    })
    expect(answers).toEqual([2, 1, 0, 1, 0, 'sure!', 'yes!', -32602, 'files.lines.ask'])
    const [outcome] = await host.all.call('dialogs.ask', { text: 'all' })
    expect(outcome).toMatchObject({ status: 'ok', value: 'all!' })
    window.destroy()
  })

  test('bytes travel both ways, copied', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    const reversed = await page.evaluate(async () => {
      const bytes = new Uint8Array([1, 2, 3]).subarray(1)
      const answer = await app.client.other.reverse({ bytes })
      return { answer: [...answer], kind: answer.constructor.name, still: bytes.byteLength }
    })
    expect(reversed).toEqual({ answer: [3, 2], kind: 'Uint8Array', still: 2 })
    const bytes = Buffer.from('a part of a pool of main’s')
    const back = await host.channelOf(window).other.reverse({ bytes })
    expect(Buffer.from(back).reverse().toString()).toBe('a part of a pool of main’s')
    window.destroy()
  })

  test('streams go both ways, and end at their source when the page leaves them, or is gone', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    const taken = await page.evaluate(async () => {
      const items = []
      for await (const n of app.client.other.count({ text: 'left' }))
        if (items.push(n) === 100) break
      const input = [Uint8Array.of(1), Uint8Array.of(2, 3)]
      for await (const bytes of app.client.other.loop(undefined, { input })) items.push([...bytes])
      return items
    })
    expect(taken).toEqual([...Array(100).keys(), [1], [2, 3]])
    await eventually(() => expect(desktop.aborted).toEqual(['left: true']))
    const counted = []
    for await (const n of host.channelOf(window).other.count({ upTo: 50 })) counted.push(n)
    expect(counted).toEqual([...Array(50).keys()])
    await page.evaluate(() => app.client.other.count({ text: 'gone' }).next())
    window.destroy()
    await eventually(() => expect(desktop.aborted).toEqual(['left: true', 'gone: true']))
  })

  test('a failure of main tells the page that it failed, and nothing of why', async () => {
    const onError = vi.fn()
    await using _ = desktop.host({ onError: [onError] })
    const { window, page } = await desktop.open()
    const failure = await page.evaluate(() =>
      app.client.other.fail().catch(({ code, message }) => ({ code, message })),
    )
    expect(failure).toMatchObject({ code: -32603, message: expect.not.stringMatching(/secret/) })
    expect(onError).toHaveBeenCalledWith(expect.anything(), expect.any(Error), {
      phase: 'handler',
      method: 'fail',
      kind: 'method',
      direction: 'in',
      id: expect.any(Number),
    })
    window.destroy()
  })

  test('permission is given per method, in main', async () => {
    await using _ = desktop.host({ authorize: (method) => method !== 'fail' })
    const { window, page } = await desktop.open()
    expect(await page.evaluate(() => app.client.other.echo({ text: 'may' }))).toBe('may')
    const code = await page.evaluate(() => app.client.other.fail().catch((error) => error.code))
    expect(code).toBe(-32002)
    window.destroy()
  })

  test('a page is who identify says', async () => {
    const told = vi.fn()
    await using host = createElectronHost(contract, {
      ipcMain: desktop.bench.electron.ipcMain,
      allow: ['app://demo'],
      identify: async ({ webContents, frame }) => ({ window: webContents.id, url: frame.url }),
      methods: {
        echo: (_, { identity }) => `window ${identity.window} at ${identity.url}`,
        reverse: ({ bytes }) => bytes,
        never: () => new Promise(() => {}),
        who: () => ({ origin: '', title: '' }),
        fail: () => '',
        count: () => [],
        loop: () => [],
        files: { reverse: ({ bytes }) => bytes, lines: { count: () => [], ask: () => '' } },
      },
      onConnect: [(channel) => told(channel.identity)],
    })
    const { window, page } = await desktop.open('app://demo/?x')
    const said = await page.evaluate(() => app.client.other.echo({ text: '' }))
    expect(said).toBe(`window ${window.webContents.id} at app://demo/?x`)
    expect(told).toHaveBeenCalledExactlyOnceWith({
      window: window.webContents.id,
      url: 'app://demo/?x',
    })
    expect(host.pageOf(host.channelOf(window))).toMatchObject({
      webContentsId: window.webContents.id,
      frame: { isMainFrame: true, origin: 'app://demo' },
    })
    window.destroy()
  })
})

describe('several windows', () => {
  test('each has a channel of its own, and an answer reaches only who asked', async () => {
    await using host = desktop.host()
    const [one, two] = await Promise.all([
      desktop.open('app://demo/?1'),
      desktop.open('app://demo/?2'),
    ])
    await Promise.all([host.whenConnected(one.window), host.whenConnected(two.window)])
    expect(host.channels.size).toBe(2)
    expect(host.channelOf(one.window)).not.toBe(host.channelOf(two.window))
    const answers = await Promise.all(
      [one, two].map(({ page }, index) =>
        page.evaluate((text) => app.client.other.echo({ text }), String(index)),
      ),
    )
    expect(answers).toEqual(['0', '1'])
    await host.channelOf(two.window).other.told({ text: 'only you' })
    await eventually(async () =>
      expect(await two.page.evaluate(() => app.told)).toEqual(['only you']),
    )
    expect(await one.page.evaluate(() => app.told)).toEqual([])
    one.window.destroy()
    two.window.destroy()
  })

  test('all of them are told, and asked, each exactly once', async () => {
    await using host = desktop.host()
    const opened = await Promise.all([desktop.open(), desktop.open(), desktop.open()])
    await Promise.all(opened.map(({ window }) => host.whenConnected(window)))
    await opened[1]?.page.evaluate(() => {
      app.client.expose('echo', () => {
        throw new Error('not today')
      })
      document.title = 'other'
    })
    expect(await host.all.notify('told', { text: 'all' })).toBe(3)
    for (const { page } of opened) {
      await eventually(async () => expect(await page.evaluate(() => app.told)).toEqual(['all']))
    }
    const asked = host.all.call('echo', { text: '?' }, { timeout: 2_000 })
    expect((await asked).map(({ status }) => status).sort()).toEqual(['error', 'ok', 'ok'])
    const [first, second] = host.all
    first?.join('editors')
    expect(await host.group('editors').notify('told', { text: 'one' })).toBe(1)
    expect([...host.all.except(first ?? '')]).not.toContain(first)
    expect(host.group('editors').except(second ?? '').size).toBe(1)
    const late = host.all.call('never', { text: '?' }, { timeout: 1_000 })
    opened[0]?.window.destroy()
    const outcomes = await late
    expect(outcomes).toHaveLength(3)
    const pages = outcomes.map(({ channel }) => host.pageOf(channel)?.webContentsId)
    expect(new Set(pages).size).toBe(3)
    expect(
      outcomes.map((outcome) => outcome.status === 'error' && outcome.error.constructor).sort(),
    ).toEqual([RpcDisconnectedError, RpcTimeoutError, RpcTimeoutError])
    for (const { window } of opened) if (!window.isDestroyed()) window.destroy()
  })

  test('a window that a page opened is a page of its own', async () => {
    await using host = desktop.host()
    const { window, page } = await desktop.open()
    await host.whenConnected(window)
    window.webContents.setWindowOpenHandler(() => ({
      action: 'allow',
      overrideBrowserWindowOptions: { webPreferences: { preload: PRELOAD } },
    }))
    const created = new Promise<Electron.BrowserWindow>((resolve) =>
      window.webContents.once('did-create-window', resolve),
    )
    await page.evaluate(() => void globalThis.open('/?popup'))
    const popup = await created
    const channel = await host.whenConnected(popup)
    expect(await channel.other.title()).toBe('page')
    expect(host.channelOf(window)).not.toBe(channel)
    popup.destroy()
    window.destroy()
  })
})

describe('what is too large', () => {
  test('is not sent by a page, and hurts nothing else', async () => {
    await using _ = desktop.host({ limits: { message: 1_000 } })
    const { window, page } = await desktop.open()
    const [error, still] = await page.evaluate(async () => {
      await app.client.connect()
      const failed = await app.client.other
        .echo({ text: 'x'.repeat(2_000) })
        .catch(({ name, outcome, message }) => ({ name, outcome, message }))
      return [failed, await app.client.other.echo({ text: 'small' })] as const
    })
    expect(error).toMatchObject({
      name: 'RpcOverloadedError',
      outcome: 'not-sent',
      message: expect.stringMatching(/echo/),
    })
    expect(still).toBe('small')
    window.destroy()
  })

  test('is not sent by main, and hurts nothing else', async () => {
    await using host = desktop.host()
    const { window } = await desktop.open()
    const { other } = await host.whenConnected(window)
    const error = await rejection(other.echo({ text: 'x'.repeat(2 * 1024 * 1024) }))
    expect(error).toBeInstanceOf(RpcOverloadedError)
    expect(await other.echo({ text: 'small' })).toBe('small')
    window.destroy()
  })

  test('posted all the same, ends that connection with 1009, and the page learns it', async () => {
    await using host = desktop.host({ limits: { message: 1_000 } })
    const { window, page } = await desktop.open('app://demo/?manual')
    const goodbye = await page.evaluate(() =>
      app.breakProtocol(() => [`{"jsonrpc":"2.0","method":"${'x'.repeat(2_000)}"}`, []]),
    )
    expect(goodbye).toMatchObject({ flashrpc: 'close', code: 1009 })
    await eventually(() => expect(host.channels.size).toBe(0))
    window.destroy()
  })
})

describe('a transferred ArrayBuffer, which Electron makes null of', () => {
  test('ends the connection, and the page learns what it did', async () => {
    const disconnected = vi.fn()
    await using host = desktop.host()
    const { window, page } = await desktop.open('app://demo/?manual')
    host.on('disconnect', disconnected)
    const goodbye = await page.evaluate(() =>
      app.breakProtocol((buffer) => [new Uint8Array(buffer), [buffer]]),
    )
    expect(goodbye).toMatchObject({
      flashrpc: 'close',
      code: 1003,
      reason: expect.stringMatching(/ArrayBuffer; copy it instead/),
    })
    await eventually(() => expect(host.channels.size).toBe(0))
    window.destroy()
  })
})

describe('calls to a window that is gone', () => {
  test('reject, and say so, also where Electron would throw', async () => {
    await using host = desktop.host()
    const { window } = await desktop.open()
    const { webContents } = window
    const channel = await host.whenConnected(window)
    window.destroy()
    for (const target of [window, webContents]) {
      const error = await rejection(host.channelOf(target).other.title())
      expect(error).toBeInstanceOf(RpcDisconnectedError)
      expect(error).toMatchObject({
        outcome: 'not-sent',
        method: 'title',
        message: expect.stringMatching(/"title" was not sent: .*The window is gone/),
      })
      const waited = await rejection(host.whenConnected(target))
      expect(waited).toMatchObject({ message: 'The window is gone', outcome: 'not-sent' })
    }
    await eventually(() => expect(channel.isConnected).toBe(false))
    expect(await rejection(channel.other.title())).toBeInstanceOf(RpcDisconnectedError)
  })

  test('reject where no page of it has connected', async () => {
    await using host = desktop.host()
    const { window } = await desktop.open('app://demo/blank')
    const error = await rejection(host.channelOf(window).other.title())
    expect(error).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringMatching(/No page of this window is connected/),
    })
    const late = await rejection(host.whenConnected(window, { timeout: 50 }))
    expect(late).toBeInstanceOf(RpcTimeoutError)
    const waiting = rejection(host.whenConnected(window, { timeout: Number.POSITIVE_INFINITY }))
    // A timer can't be that long, and one that is too long is up at once.
    await new Promise((resolve) => setTimeout(resolve, 50))
    window.destroy()
    expect(await waiting).toMatchObject({ message: expect.stringMatching(/window was closed/) })
  })
})

describe('a host that is made wrongly says so at once', () => {
  test.each<[string, object, RegExp]>([
    ['no ipcMain', { ipcMain: undefined }, /ipcMain must be Electron's/],
    [
      'no allow',
      { allow: undefined },
      /allow is missing: name the origins of this app's pages, such as \["app:\/\/demo"\], or write a function/,
    ],
    ['one origin, no list', { allow: 'app://demo' }, /allow must be an array/],
    ['null', { allow: ['null'] }, /"null".*sandboxed iframe/],
    ['a path', { allow: ['app://demo/'] }, /"app:\/\/demo\/".*the slash too/],
    ['a star', { allow: ['app://*'] }, /Name each origin/],
    ['a default port', { allow: ['https://x.test:443'] }, /own port/],
    ['a number', { allow: [5] }, /allow has 5: an origin is a text/],
    ['presence', { presence: {} }, /presence.allow is missing/],
    ['an unknown method', { methods: { nothing: () => 1 } }, /nothing/],
    ['a method that is none', { methods: { echo: 5 } }, /echo/],
    ['identify', { identify: 'me' }, /identify must be a function/],
    ['authorize', { authorize: true }, /authorize must be a function/],
    ['an empty name', { name: '' }, /name must have 1 to 64 characters/],
    ['a limit', { limits: { message: 0 } }, /limits.message must be a positive integer/],
  ])('%s', (_, wrong, message) => {
    const { ipcMain } = desktop.bench.electron
    const before = ipcMain.listenerCount('flashrpc:connect')
    const options = { ipcMain, allow: ['app://demo'], methods: {}, ...wrong }
    expect(() => createElectronHost(contract, options as never)).toThrow(
      expect.toSatisfy(
        (error: RpcError) => error.name === 'RpcConfigError' && message.test(error.message),
      ),
    )
    expect(ipcMain.listenerCount('flashrpc:connect')).toBe(before)
  })

  test('two hosts of one name', async () => {
    await using _ = desktop.host()
    expect(() => desktop.host()).toThrow(/host with the name "default" already/)
  })
})

describe('handlers that are given after the host was made', () => {
  test('may use the host, and serve pages from the first one on', async () => {
    const { ipcMain } = desktop.bench.electron
    await using host = createElectronHost(contract, { ipcMain, allow: ['app://demo'] })
    host.implement('files.lines.ask', async ({ text }) => {
      const [outcome] = await host.all.call('dialogs.ask', { text })
      return outcome?.status === 'ok' ? outcome.value : 'nobody'
    })
    host.implement('files.reverse', ({ bytes }) => bytes)
    host.implement('files.lines.count', () => [])
    const refused = vi.fn()
    const failed = vi.fn()
    host.on('refused', refused).on('error', failed)
    const { window, page } = await desktop.open()
    // Not all of them are there, so pages wait.
    await eventually(() => expect(refused).toHaveBeenCalled())
    expect(refused).toHaveBeenCalledWith(
      expect.objectContaining({ code: 1013, reason: 'Main has not given its handlers yet' }),
    )
    expect(failed.mock.calls[0]?.[0]).toMatchObject({
      name: 'RpcConfigError',
      message:
        'The host has no handler for echo, reverse, never, who, fail, count, loop. Give it the option methods, or call its implement({ … }) first',
    })
    host.implement({
      echo: ({ text }: { text: string }) => `${text} to ${host.channels.size}`,
      reverse: ({ bytes }: { bytes: Uint8Array }) => bytes,
      never: () => '',
      who: () => ({ origin: '', title: '' }),
      fail: () => '',
      count: () => [],
      loop: () => [],
    } as never)
    expect(await page.evaluate(() => app.client.other.echo({ text: 'hi' }))).toBe('hi to 1')
    expect(await page.evaluate(() => app.client.other.files.lines.ask({ text: 'sure' }))).toBe(
      'sure!',
    )
    expect(() => host.implement('fail', () => '')).toThrow(
      'The host serves already: call implement before its first page connects',
    )
    window.destroy()
  })

  test('are checked as those of the option methods', () => {
    const { ipcMain } = desktop.bench.electron
    const host = desktop.host({ name: 'checked' })
    expect(() => host.implement('echo', () => '')).toThrow('"echo" has two handlers')
    const other = createElectronHost(contract, { ipcMain, allow: ['app://demo'], name: 'later' })
    expect(() => other.implement('nothing' as never, (() => 1) as never)).toThrow(/"nothing"/)
    expect(() => other.implement('echo', 5 as never)).toThrow(/"echo" must be a function/)
    return other.close()
  })
})

describe('two hosts', () => {
  test('each serve their own, to one page', async () => {
    await using _one = desktop.host()
    await using _two = desktop.host({
      name: 'two',
      authorize: (method) => method === 'echo',
    })
    const { window, page } = await desktop.open()
    const answers = await page.evaluate(async () => {
      const two = app.connect('two').client
      return [
        await app.client.other.who(),
        await two.other.echo({ text: 'two' }),
        await two.other.who().catch((error) => error.code),
      ]
    })
    expect(answers).toEqual([{ origin: 'app://demo', title: 'page' }, 'two', -32002])
    window.destroy()
  })
})

test('a listener that fails harms nobody, and error is told', async () => {
  await using host = desktop.host()
  const failed = vi.fn()
  host
    .on('error', failed)
    .on('connect', () => {
      throw new Error('mine')
    })
    .on('connect', async () => {
      throw new Error('later')
    })
  const { window } = await desktop.open()
  const channel = await host.whenConnected(window)
  expect(await channel.other.title()).toBe('page')
  await eventually(() =>
    expect(failed.mock.calls.map(([error]) => error.message)).toEqual(['mine', 'later']),
  )
  window.destroy()
})

test('a listener of error that fails is told to the log, and not to itself', async () => {
  const lines: string[] = []
  const line = (text: string) => void lines.push(text)
  await using host = desktop.host({ logger: { debug: () => {}, warn: line, error: line } })
  const failed = vi.fn(() => {
    throw new Error('of error')
  })
  host.on('error', failed).on('connect', () => {
    throw new Error('of connect')
  })
  const { window } = await desktop.open()
  await host.whenConnected(window)
  await eventually(() => expect(lines).toHaveLength(2))
  expect(lines[0]).toMatch(/^flashrpc: on\('connect'\) failed: Error: of connect\n/)
  expect(lines[1]).toMatch(/^flashrpc: on\('error'\) failed: Error: of error\n/)
  expect(failed).toHaveBeenCalledTimes(1)
  window.destroy()
})
