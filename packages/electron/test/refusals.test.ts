import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createChannel,
  ErrorCode,
  memoryTransportPair,
  RpcConfigError,
  RpcError,
} from '@flashrpc/core'
import type { Refusal } from '@flashrpc/electron/main'
import type { Frame, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { PRELOAD, startDesktop, type TestOptions } from './support/desktop.js'
import { eventually } from './support/eventually.js'

/** Who is not let in, why, and who learns it. */

let desktop: Awaited<ReturnType<typeof startDesktop>>
let folder: string
let uncaught: unknown[]
const onUncaught = (error: unknown) => void uncaught.push(error)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashrpc-electron-'))
  desktop = await startDesktop((request) => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith('/framing')) return undefined
    const src = decodeURIComponent(pathname.slice('/framing/'.length))
    return new Response(`<!doctype html><title>framing</title><iframe src="${src}"></iframe>`, {
      headers: { 'Content-Type': 'text/html' },
    })
  })
}, 60_000)
afterAll(async () => {
  await desktop?.bench.close()
  await rm(folder, { recursive: true })
})

afterEach(() => desktop.reset())

/** A channel to somebody who never answers. */
function besideSomebodySilent() {
  const [transport, silent] = memoryTransportPair()
  const channel = createChannel<object, { whoIs(params: object): string }>({
    side: 'client',
    transport,
    plain: true,
  })
  return { channel, silent }
}

beforeEach(() => {
  uncaught = []
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught)
})
afterEach(() => {
  process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught)
  // Main never throws, whatever a page sends.
  expect(uncaught).toEqual([])
})

/** A host that keeps what it is told of refusals. */
function listening(options: TestOptions = {}) {
  const host = desktop.host(options)
  const refusals: Refusal[] = []
  const errors: unknown[] = []
  host.on('refused', (refusal) => refusals.push(refusal)).on('error', (error) => errors.push(error))
  return { host, refusals, errors, [Symbol.asyncDispose]: () => host.close() }
}

/** What has become of a page's client, once it has stopped or waits. */
function outcomeOf(page: Page | Frame) {
  return page.evaluate(async () => {
    const { client } = app
    const deadline = performance.now() + 8_000
    while (!client.state.lastError && client.state.status !== 'connected') {
      if (performance.now() > deadline) throw new Error(`It is still ${client.state.status}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const { status, lastError } = client.state
    return { status, why: lastError?.message, closeCode: Reflect.get(lastError ?? {}, 'closeCode') }
  })
}

/** A preload of the test's own. */
async function preload(name: string, script: string): Promise<string> {
  const path = join(folder, `${name}.cjs`)
  await writeFile(path, script)
  return path
}

describe('a page of another origin', () => {
  test('is refused, is told so and stops; main is told which', async () => {
    await using listener = listening()
    const { window, page } = await desktop.open('http://elsewhere.test/')
    expect(await outcomeOf(page)).toEqual({
      status: 'failed',
      why: `The origin http://elsewhere.test is not in allow. To let it in, add this line to the options: allow: ['http://elsewhere.test']`,
      closeCode: 4403,
    })
    expect(listener.refusals).toMatchObject([
      {
        code: 4403,
        reason: `The origin http://elsewhere.test is not in allow. To let it in, add this line to the options: allow: ['http://elsewhere.test']`,
        webContents: { id: window.webContents.id },
        frame: { origin: 'http://elsewhere.test', isMainFrame: true },
      },
    ])
    expect(listener.host.channels.size).toBe(0)
    window.destroy()
  })

  test.each(['app://demo2/', 'app://other/', 'http://demo/', 'data:text/html,<title>data</title>'])(
    'such as %s, is not taken for ours',
    async (url) => {
      await using listener = listening()
      const send = await preload(
        'sends-itself',
        `const { ipcRenderer } = require('electron')
       const { port1, port2 } = new MessageChannel()
       ipcRenderer.postMessage('flashrpc:connect', { flashrpc: 'connect', v: 1, name: 'default' }, [port2])`,
      )
      const { window } = await desktop.open(url, { preload: send })
      await eventually(() => expect(listener.refusals).toMatchObject([{ code: 4403 }]))
      expect(listener.host.channels.size).toBe(0)
      window.destroy()
    },
  )

  test('of a file is refused, unless file:// is allowed by name', async () => {
    const path = join(folder, 'page.html')
    await writeFile(path, '<!doctype html><title>file</title>')
    const send = await preload(
      'sends-of-file',
      `const { ipcRenderer } = require('electron')
       const { port1, port2 } = new MessageChannel()
       ipcRenderer.postMessage('flashrpc:connect', { flashrpc: 'connect', v: 1, name: 'default' }, [port2])`,
    )
    {
      await using listener = listening()
      const { window } = await desktop.open(`file://${path}`, { preload: send })
      await eventually(() =>
        expect(listener.refusals).toMatchObject([
          { code: 4403, reason: expect.stringMatching(/file:\/\/ is not in allow/) },
        ]),
      )
      window.destroy()
    }
    await using listener = listening({ allow: ['file://'] })
    const { window } = await desktop.open(`file://${path}`, { preload: send })
    await eventually(() => expect(listener.host.channels.size).toBe(1))
    window.destroy()
  })
})

describe('a frame in a page', () => {
  const inFrame = { preload: PRELOAD, nodeIntegrationInSubFrames: true }

  async function frameOf(page: Page, url: string): Promise<Frame> {
    await eventually(() => expect(page.frames().length).toBe(2))
    const frame = page.frames().find((one) => one !== page.mainFrame())
    await frame?.waitForURL(url)
    return frame as Frame
  }

  test('is refused where origins are listed, though its origin is', async () => {
    await using listener = listening()
    const { window, page } = await desktop.open('app://demo/framing/%2F', inFrame)
    const frame = await frameOf(page, '**/')
    expect(await outcomeOf(frame)).toMatchObject({
      status: 'failed',
      why: 'A frame of the origin app://demo is in a page: allow must be a function to let it in',
      closeCode: 4403,
    })
    expect(listener.refusals).toMatchObject([{ frame: { isMainFrame: false } }])
    window.destroy()
  })

  test('is let in by a function that knows it, and is a page of its own', async () => {
    await using listener = listening({
      allow: (frame) =>
        frame.origin === 'app://demo' ||
        (frame.origin === 'http://part.test' && !frame.isMainFrame),
    })
    const { host } = listener
    const { window, page } = await desktop.open(
      `app://demo/framing/${encodeURIComponent('http://part.test/')}`,
      inFrame,
    )
    const frame = await frameOf(page, 'http://part.test/')
    expect(await outcomeOf(frame)).toMatchObject({ status: 'connected' })
    expect(await frame.evaluate(() => app.client.other.who())).toEqual({
      origin: 'http://part.test',
      title: 'page',
    })
    expect(host.channels.size).toBe(1)
    const part = window.webContents.mainFrame.frames[0]
    expect(part && (await host.channelOf(part).other.title())).toBe('page')
    // The window's own page is another, and has not connected.
    expect(host.channelOf(window).isConnected).toBe(false)
    window.destroy()
  })

  describe('that attacks: of another origin, it posts a hand-over to its parent', () => {
    const attack = `data:text/html,${encodeURIComponent(`<script>
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = ({ data }) => parent.postMessage({ stolen: data }, '*')
      parent.postMessage({ flashrpc: 'connect', v: 1, name: 'default' }, '*', [port2])
    </script>`)}`
    const naive = `const { ipcRenderer } = require('electron')
      globalThis.addEventListener('message', (event) => {
        if (event.data?.flashrpc === 'connect') {
          ipcRenderer.postMessage('flashrpc:connect', event.data, [event.ports[0]])
        }
      })`

    async function attacked(webPreferences: Electron.WebPreferences) {
      await using listener = listening()
      const connect = vi.fn()
      listener.host.on('connect', connect)
      const { window, page } = await desktop.open('app://demo/blank', webPreferences)
      const stolen = page.evaluate(
        (src) =>
          new Promise((resolve) => {
            globalThis.addEventListener('message', ({ data }) => {
              if ('stolen' in data) resolve(data.stolen)
            })
            document.body.append(Object.assign(document.createElement('iframe'), { src }))
            setTimeout(() => resolve('nothing'), 1_500)
          }),
        attack,
      )
      const answer = await stolen
      window.destroy()
      return { answer, channels: listener.host.channels.size, refusals: listener.refusals }
    }

    test("gets the page's identity past a preload that looks at no source: the attack works", async () => {
      const path = await preload('naive', naive)
      const { answer } = await attacked({ preload: path })
      expect(answer).toEqual({ flashrpc: 'accepted' })
    })

    test('gets nothing past ours', async () => {
      const { answer, refusals } = await attacked({ preload: PRELOAD })
      expect(answer).toBe('nothing')
      expect(refusals).toEqual([])
    })
  })
})

describe('a window without the preload', () => {
  test('tells its page what is missing, in time, and the page stops', async () => {
    await using _ = listening()
    const { window, page } = await desktop.open('app://demo/', {})
    const begin = performance.now()
    expect(await outcomeOf(page)).toEqual({
      status: 'failed',
      why: expect.stringMatching(
        /This window has no flashrpc preload. .*import '@flashrpc\/electron\/preload'.*webPreferences.preload/,
      ),
      closeCode: 4400,
    })
    expect(performance.now() - begin).toBeLessThan(8_000)
    const call = await page.evaluate(() =>
      app.client.other.echo({ text: '' }).catch(({ outcome, message }) => ({ outcome, message })),
    )
    expect(call).toMatchObject({ outcome: 'not-sent', message: expect.stringMatching(/preload/) })
    window.destroy()
  })

  test('is one with it where it is registered with the session', async () => {
    await using listener = listening()
    const { defaultSession } = desktop.bench.electron.session
    const id = defaultSession.registerPreloadScript({ type: 'frame', filePath: PRELOAD })
    const { window, page } = await desktop.open('app://demo/', { sandbox: true })
    expect(await outcomeOf(page)).toMatchObject({ status: 'connected' })
    expect(listener.host.channels.size).toBe(1)
    defaultSession.unregisterPreloadScript(id)
    window.destroy()
  })
})

describe('where main', () => {
  test('has no host, the page is told so, tries again, and connects when there is one', async () => {
    const { window, page } = await desktop.open()
    expect(await outcomeOf(page)).toMatchObject({
      status: 'reconnecting',
      why: expect.stringMatching(/Main does not answer. Is createElectronHost called there\?/),
    })
    await using listener = listening()
    await listener.host.whenConnected(window, { timeout: 15_000 })
    window.destroy()
  }, 40_000)

  test('has none of the name that is asked for, the page is told which there are', async () => {
    await using listener = listening()
    const { window, page } = await desktop.open('app://demo/?name=db')
    expect(await outcomeOf(page)).toMatchObject({
      status: 'reconnecting',
      why: 'Main has nothing of the name "db" for this window; its hosts are "default"',
      closeCode: 1013,
    })
    expect(listener.refusals[0]).toMatchObject({ code: 1013, frame: { origin: 'app://demo' } })
    window.destroy()
  })

  test.each<[string, TestOptions, object]>([
    [
      'has an allow that throws, it refuses',
      {
        allow: () => {
          throw new Error('a bug')
        },
      },
      { status: 'reconnecting', why: 'Main could not say whether this page is allowed' },
    ],
    [
      'has an allow that answers later, it refuses: a promise is no yes',
      { allow: (async () => true) as never },
      { status: 'reconnecting', why: 'Main could not say whether this page is allowed' },
    ],
    [
      'has an identify that fails, it refuses, and does not tell why',
      {
        identify: () => {
          throw new Error('a secret')
        },
      },
      { status: 'reconnecting', why: 'Main could not find out who this page is' },
    ],
    [
      'has an identify that refuses, the page learns its message',
      { identify: () => Promise.reject(new RpcError(1, 'Not with this key')) },
      { status: 'failed', why: 'Not with this key', closeCode: 4403 },
    ],
    [
      'has an identify that knows no user, the page learns that it may try again',
      {
        identify: () => {
          throw new RpcError(ErrorCode.unauthorized, 'Sign in first')
        },
      },
      { status: 'unauthorized', why: 'Sign in first', closeCode: 4401 },
    ],
    [
      'has an identify whose own call fails, it refuses, and does not tell why',
      {
        identify: async () => {
          const { channel, silent } = besideSomebodySilent()
          try {
            return (await channel.other.whoIs({ window: 1 }, { timeout: 10 })) as never
          } finally {
            silent.close(1000, '')
          }
        },
      },
      { status: 'reconnecting', why: 'Main could not find out who this page is' },
    ],
    [
      'has an identify with a wrong option, it refuses, and does not tell why',
      {
        identify: () => {
          throw new RpcConfigError('The key of the store is missing')
        },
      },
      { status: 'reconnecting', why: 'Main could not find out who this page is' },
    ],
  ])('%s', async (_, options, outcome) => {
    await using listener = listening(options)
    const { window, page } = await desktop.open()
    expect(await outcomeOf(page)).toMatchObject(outcome)
    expect(listener.refusals[0]).toMatchObject({ cause: expect.any(Error) })
    expect(listener.errors[0]).toBe(listener.refusals[0]?.cause)
    expect(listener.host.channels.size).toBe(0)
    window.destroy()
  })
})

describe('a hand-over that is wrong', () => {
  test.each<[string, unknown, number, unknown]>([
    ['without a port', { flashrpc: 'connect', v: 1, name: 'default' }, 0, undefined],
    [
      'with two ports',
      { flashrpc: 'connect', v: 1, name: 'default' },
      2,
      'A hand-over has one port; this one has 2',
    ],
    ['without a version', { flashrpc: 'connect', name: 'default' }, 1, /version or its name/],
    ['of another version', { flashrpc: 'connect', v: 2, name: 'default' }, 1, /version is 2/],
    ['without a name', { flashrpc: 'connect', v: 1 }, 1, /version or its name/],
    ['with an empty name', { flashrpc: 'connect', v: 1, name: '' }, 1, /1 to 64 characters/],
    [
      'with too long a name',
      { flashrpc: 'connect', v: 1, name: 'x'.repeat(10_000) },
      1,
      /1 to 64 characters/,
    ],
  ])('%s is refused, and its page told why', async (_, message, ports, reason) => {
    await using listener = listening()
    const { window, page } = await desktop.open('app://demo/?manual')
    const heard = await page.evaluate(([what, n]) => app.handOverRaw(what, n as number), [
      message,
      ports,
    ] as const)
    const refused = heard.filter(
      (answer) => (answer as { flashrpc: string }).flashrpc === 'refused',
    )
    expect(refused).toHaveLength(ports)
    for (const answer of refused) {
      expect(answer).toMatchObject({
        code: 4400,
        reason: typeof reason === 'string' ? reason : expect.stringMatching(reason as RegExp),
      })
    }
    expect(listener.host.channels.size).toBe(0)
    // Nothing else is lost by it.
    expect(await page.evaluate(() => app.connect().client.other.echo({ text: 'after' }))).toBe(
      'after',
    )
    window.destroy()
  })

  test.each<[string, string]>([
    ['null', `ipcRenderer.postMessage('flashrpc:connect', null)`],
    ['nothing', `ipcRenderer.send('flashrpc:connect')`],
    ['text', `ipcRenderer.send('flashrpc:connect', 'connect')`],
    [
      'the right words without a port',
      `ipcRenderer.send('flashrpc:connect', { flashrpc: 'connect', v: 1, name: 'default' })`,
    ],
    [
      'two ports',
      `ipcRenderer.postMessage('flashrpc:connect', { flashrpc: 'connect', v: 1, name: 'default' }, [new MessageChannel().port1, new MessageChannel().port1])`,
    ],
  ])('past the preload, by a renderer that was taken over: %s', async (name, script) => {
    await using listener = listening()
    const path = await preload(
      `taken-${name.replaceAll(' ', '-')}`,
      `const { ipcRenderer } = require('electron')\n${script}`,
    )
    const { window } = await desktop.open('app://demo/blank', { preload: path })
    await eventually(() => expect(listener.refusals).toMatchObject([{ code: 4400 }]))
    expect(listener.host.channels.size).toBe(0)
    window.destroy()
  })

  test('again and again, leaves one connection', async () => {
    await using listener = listening()
    const { window, page } = await desktop.open('app://demo/?manual')
    await page.evaluate(async () => {
      for (let n = 0; n < 200; n++) {
        const { port2 } = new MessageChannel()
        postMessage({ flashrpc: 'connect', v: 1, name: 'default' }, '/', [port2])
      }
      await app.connect().client.other.echo({ text: '' })
    })
    expect(listener.host.channels.size).toBe(1)
    window.destroy()
  })
})

describe('the page', () => {
  test('has no global of ours or of Electron, and its scripts do not see the port pass', async () => {
    await using _ = listening()
    const { window, page } = await desktop.open('app://demo/?manual')
    const seen = await page.evaluate(async () => {
      const messages: unknown[] = []
      globalThis.addEventListener('message', ({ data }) => messages.push(data))
      await app.connect().client.other.echo({ text: '' })
      const globals = ['require', 'process', 'ipcRenderer', 'electron', 'module', 'flashrpc']
      return { messages, globals: globals.filter((name) => name in globalThis) }
    })
    expect(seen).toEqual({ messages: [], globals: [] })
    window.destroy()
  })
})
