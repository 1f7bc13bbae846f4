import type { ElectronBench } from '@flashrpc/electron/testing'
import type { BrowserWindow, IpcMainEvent, MessagePortMain, WebFrameMain } from 'electron'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  createFolder,
  type Folder,
  HAND_OVER,
  HANDS_OVER,
  html,
  launch,
  nextEvent,
  nextMessage,
} from './support.js'

/** What Electron does, and this package must respect: each fact that can be shown on the bench. */

let bench: ElectronBench
let folder: Folder

/** The attacker's page: posts a port to its parent. */
const ATTACK = `<script>
  const { port1, port2 } = new MessageChannel()
  parent.postMessage('hand over', '*', [port2])
</script>`

beforeAll(async () => {
  folder = createFolder()
  bench = await launch({
    schemes: [
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
    ],
    serve: ({ url }) => (url.startsWith('http://evil.test/') ? html(ATTACK) : undefined),
  })
  const { protocol } = bench.electron
  protocol.handle('app', ({ url }) => {
    const { pathname } = new URL(url)
    if (pathname === '/204') return new Response(null, { status: 204 })
    if (pathname === '/download') {
      return new Response('x', { headers: { 'content-disposition': 'attachment' } })
    }
    if (pathname === '/attacked') return html('<iframe src="http://evil.test/"></iframe>')
    if (pathname === '/family') {
      return html('<iframe src="/child"></iframe><iframe sandbox="allow-scripts" src="/child">')
    }
    return html(`<title>${pathname}</title>`)
  })
  protocol.handle('plain', () => html('<title>no privileges</title>'))
})

afterEach(() => {
  bench.electron.ipcMain.removeAllListeners()
  for (const window of bench.electron.BrowserWindow.getAllWindows()) window.destroy()
})

afterAll(async () => {
  await bench?.close()
  folder[Symbol.dispose]()
})

interface Opened {
  readonly window: BrowserWindow
  readonly page: Page
}

async function open(
  preload: string,
  { url = 'app://demo/', nodeIntegrationInSubFrames = false } = {},
): Promise<Opened> {
  const path = folder.write('preload.cjs', preload)
  const window = new bench.electron.BrowserWindow({
    webPreferences: { preload: path, nodeIntegrationInSubFrames },
  })
  await window.loadURL(url)
  return { window, page: await bench.page(window) }
}

/** A window whose page has handed a port over, of which main has the other end. */
async function connect(): Promise<Opened & { port: MessagePortMain; event: IpcMainEvent }> {
  const opened = await open(HANDS_OVER)
  const handed = nextEvent<[IpcMainEvent]>(bench.electron.ipcMain, 'port')
  await opened.page.evaluate(HAND_OVER)
  const [event] = await handed
  const [port] = event.ports
  if (!port) throw new Error('No port arrived')
  return { ...opened, port, event }
}

describe('2: a port and contextBridge', () => {
  test('a port that crosses contextBridge arrives as an empty object', async () => {
    const { page } = await open(
      `require('electron').contextBridge.exposeInMainWorld('api', {
         describe: (value) => JSON.stringify(value) + (value instanceof MessagePort),
         make: () => new MessageChannel().port1,
       })`,
    )
    expect(await page.evaluate('api.describe(new MessageChannel().port1)')).toBe('{}false')
    expect(await page.evaluate('Object.keys(api.make()).length + typeof api.make().start')).toBe(
      '0undefined',
    )
  })

  test('functions, promises and errors cross it, and the page can change nothing of it', async () => {
    const { page } = await open(
      `require('electron').contextBridge.exposeInMainWorld('api', {
         now: (text) => text + '!',
         later: async (text) => text + '…',
         call: (back) => back('called'),
         fail: () => { throw new TypeError('of the preload') },
         failLater: async () => { throw new Error('later') },
       })`,
    )
    expect(await page.evaluate('api.now("a")')).toBe('a!')
    expect(await page.evaluate('api.later("a")')).toBe('a…')
    expect(await page.evaluate('api.call((text) => text + " back")')).toBe('called back')
    await expect(page.evaluate('api.fail()')).rejects.toThrow('of the preload')
    await expect(page.evaluate('api.failLater()')).rejects.toThrow('later')
    expect(await page.evaluate('api.now = 1, typeof api.now')).toBe('function')
  })

  test('a port gets into the page by a message to its window, and out of it in the same way', async () => {
    const { page } = await open(
      `${HANDS_OVER}
       ipcRenderer.on('port', ({ ports }) => window.postMessage('from main', '/', ports))`,
    )
    await page.evaluate(
      `addEventListener('message', ({ data, ports }) => {
         if (data === 'from main') ports[0].onmessage = ({ data }) => ports[0].postMessage(data + 1)
       })`,
    )
    const { port1, port2 } = new bench.electron.MessageChannelMain()
    const [window] = bench.electron.BrowserWindow.getAllWindows()
    window?.webContents.postMessage('port', null, [port2])
    port1.postMessage(1)
    expect(await nextMessage(port1)).toBe(2)
  })
})

describe('3: the end of a port', () => {
  test('a page’s port has a close event, as main closes its own', async () => {
    const { page, port } = await connect()
    port.close()
    expect(await page.evaluate('portClosed')).toBe('closed')
  })

  test('main’s port closes as the page closes its own', async () => {
    const { page, port } = await connect()
    const closed = nextEvent(port, 'close')
    port.start()
    await page.evaluate('port.close()')
    await closed
  })
})

describe('4: what a page transfers', () => {
  test('a message that transfers an ArrayBuffer to main arrives as null', async () => {
    const { page, port } = await connect()
    await page.evaluate(
      '{ const bytes = new ArrayBuffer(4); port.postMessage({ bytes }, [bytes]) }',
    )
    expect(await nextMessage(port)).toBe(null)
  })

  test('a message with a copied ArrayBuffer arrives as it is', async () => {
    const { page, port } = await connect()
    await page.evaluate('port.postMessage({ bytes: new Uint8Array([1, 2]).buffer })')
    expect(await nextMessage(port)).toEqual({ bytes: new Uint8Array([1, 2]).buffer })
  })

  test('ports of the page’s own transfer what they like', async () => {
    const { page } = await open('')
    const length = await page.evaluate(
      `new Promise((resolve) => {
         const { port1, port2 } = new MessageChannel()
         port2.onmessage = ({ data }) => resolve(data.byteLength)
         const bytes = new ArrayBuffer(4)
         port1.postMessage(bytes, [bytes])
       })`,
    )
    expect(length).toBe(4)
  })

  test('main transfers nothing but ports', async () => {
    const { port } = await connect()
    const bytes = new ArrayBuffer(4)
    expect(() => port.postMessage({ bytes }, [bytes as never])).toThrow('is not a valid port')
  })
})

describe('5: MessagePortMain', () => {
  test('queues until it is started', async () => {
    const { page, port } = await connect()
    await page.evaluate('port.postMessage(1); port.postMessage(2); 0')
    const said: unknown[] = []
    port.on('message', ({ data }) => said.push(data))
    await page.evaluate('0')
    expect(said).toEqual([])
    port.start()
    await expect.poll(() => said).toEqual([1, 2])
  })

  test('tells its own end of its close, once', async () => {
    const { port1, port2 } = new bench.electron.MessageChannelMain()
    const closed: string[] = []
    port1.on('close', () => closed.push('one'))
    port2.on('close', () => closed.push('other'))
    port2.start()
    port1.close()
    port1.close()
    await expect.poll(() => closed.toSorted()).toEqual(['one', 'other'])
  })

  test('drops what is posted once it is closed, in silence', () => {
    const { port1 } = new bench.electron.MessageChannelMain()
    port1.close()
    expect(() => port1.postMessage('late')).not.toThrow()
  })

  test('delivers what was posted before its other end was closed', async () => {
    const { port1, port2 } = new bench.electron.MessageChannelMain()
    const said: unknown[] = []
    port2.on('message', ({ data }) => said.push(data))
    port2.on('close', () => said.push('closed'))
    port1.postMessage('last words')
    port1.close()
    port2.start()
    await expect.poll(() => said).toEqual(['last words', 'closed'])
  })

  test('can be transferred once, and not through itself', () => {
    const { port1, port2 } = new bench.electron.MessageChannelMain()
    expect(() => port1.postMessage(null, [port1])).toThrow('contains the source port')
    const other = new bench.electron.MessageChannelMain()
    other.port1.postMessage(null, [port2])
    expect(() => other.port1.postMessage(null, [port2])).toThrow('already neutered')
  })
})

test('6: an uncloneable value throws, and leaves the port open', async () => {
  const { page, port } = await connect()
  expect(() => port.postMessage(() => {})).toThrow('An object could not be cloned.')
  port.postMessage('still here')
  await page.waitForFunction('arrivals.length > 0')
  expect(await page.evaluate('arrivals')).toEqual(['still here'])
})

describe('7: who sent it', () => {
  test('the sender’s frame is there at once, and null once its document is gone', async () => {
    const { page, event } = await connect()
    const frame = event.senderFrame
    expect([frame?.url, frame?.origin, frame?.parent]).toEqual(['app://demo/', 'app://demo', null])
    await page.reload()
    expect(event.senderFrame).toBe(null)
    expect(frame?.isDestroyed()).toBe(true)
    expect(frame?.detached).toBe(true)
    expect(() => frame?.origin).toThrow('Render frame was disposed')
  })

  test('a port’s messages carry no sender', async () => {
    const { page, port } = await connect()
    const next = nextEvent<[object]>(port, 'message')
    port.start()
    await page.evaluate('port.postMessage("hi")')
    expect(Object.keys((await next)[0])).toEqual(['data', 'ports'])
  })
})

describe('8: the end of a document', () => {
  test.each(['/204', '/download'])('a navigation to %s begins, and ends nothing', async (path) => {
    const { window, page, port } = await connect()
    const started = nextEvent<[{ url: string }]>(window.webContents, 'did-start-navigation')
    await page.evaluate((to) => {
      ;(globalThis as unknown as { location: { href: string } }).location.href = to
    }, path)
    expect((await started)[0].url).toBe(`app://demo${path}`)
    const next = nextMessage(port)
    await page.evaluate('port.postMessage("still here")')
    expect(await next).toBe('still here')
  })

  test.each([
    ['a reload', ({ window }: Opened) => window.webContents.reload()],
    ['another page', ({ window }: Opened) => void window.loadURL('app://demo/other')],
    ['another origin', ({ window }: Opened) => void window.loadURL('http://evil.test/')],
    ['a crash', ({ window }: Opened) => void bench.crash(window)],
    ['the window’s end', ({ window }: Opened) => window.destroy()],
  ])('%s closes the ports of the document', async (_, end) => {
    const opened = await connect()
    const closed = nextEvent(opened.port, 'close')
    opened.port.start()
    end(opened)
    await closed
  })

  test('a navigation within the document closes nothing', async () => {
    const { window, page, port } = await connect()
    const navigated = nextEvent(window.webContents, 'did-navigate-in-page')
    await page.evaluate('history.pushState(null, "", "/elsewhere")')
    await navigated
    const next = nextMessage(port)
    await page.evaluate('port.postMessage("still here")')
    expect(await next).toBe('still here')
  })

  test('a destroyed window’s id can’t be read any more', async () => {
    const { window } = await open('')
    const contents = window.webContents
    window.destroy()
    expect(() => contents.id).toThrow(new TypeError('Object has been destroyed'))
  })
})

test('9: a sandboxed preload requires four modules, and no file', async () => {
  const found = nextEvent<[IpcMainEvent, unknown]>(bench.electron.ipcMain, 'found')
  await open(
    `const attempt = (name) => { try { return typeof require(name) } catch (error) { return error.message } }
     require('electron').ipcRenderer.send('found', ['events', 'timers', 'url', 'fs', './x.js'].map(attempt))`,
  )
  expect((await found)[1]).toEqual([
    'function',
    'object',
    'object',
    'module not found: fs',
    'module not found: ./x.js',
  ])
})

describe('10: frames', () => {
  const SAYS = `require('electron').ipcRenderer.send('frame')`

  /** The frames that have a preload, once all frames are there. */
  async function framesWithPreload(nodeIntegrationInSubFrames: boolean) {
    const frames: (WebFrameMain | null)[] = []
    bench.electron.ipcMain.on('frame', (event) => frames.push(event.senderFrame))
    const { window } = await open(SAYS, { url: 'app://demo/family', nodeIntegrationInSubFrames })
    const { mainFrame } = window.webContents
    const all = () => mainFrame.frames.filter((frame) => frame.url.endsWith('/child'))
    await expect.poll(() => all().length).toBe(2)
    return { frames, mainFrame, children: all() }
  }

  test('only the top one has a preload', async () => {
    const { frames, mainFrame, children } = await framesWithPreload(false)
    expect(frames).toEqual([mainFrame])
    expect(children.map((frame) => frame.parent)).toEqual([mainFrame, mainFrame])
    expect(children.map((frame) => frame.top)).toEqual([mainFrame, mainFrame])
    expect(children.map((frame) => frame.origin).toSorted()).toEqual(['app://demo', 'null'])
  })

  test('all have one with nodeIntegrationInSubFrames', async () => {
    const { frames, mainFrame, children } = await framesWithPreload(true)
    await expect.poll(() => frames.length).toBe(3)
    expect(new Set(frames)).toEqual(new Set([mainFrame, ...children]))
  })

  test('one of another origin is in a process of its own, and known by its origin', async () => {
    const { window } = await open('', { url: 'app://demo/attacked' })
    const { mainFrame } = window.webContents
    await expect
      .poll(() => mainFrame.frames.map(({ origin }) => origin))
      .toEqual(['http://evil.test'])
    expect(mainFrame.frames[0]?.processId).not.toBe(mainFrame.processId)
  })
})

describe('11: a page that attacks its parent', () => {
  test('gets nowhere with a preload that checks the source', async () => {
    const handed: unknown[] = []
    bench.electron.ipcMain.on('port', (event) => handed.push(event))
    const { page } = await open(HANDS_OVER, { url: 'app://demo/attacked' })
    await expect.poll(() => page.frames().length).toBe(2)
    await page.frames()[1]?.waitForLoadState()
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))')
    expect(handed).toEqual([])
  })

  test('gets its parent’s identity from a preload that does not', async () => {
    const handed = nextEvent<[IpcMainEvent]>(bench.electron.ipcMain, 'port')
    await open(HANDS_OVER.replace('event.source === window && ', ''), {
      url: 'app://demo/attacked',
    })
    const [event] = await handed
    expect(event.senderFrame?.origin).toBe('app://demo')
    expect(event.ports).toHaveLength(1)
  })
})

describe('12: invoke, send and postMessage', () => {
  const API = `
    const { contextBridge, ipcRenderer } = require('electron')
    const attempt = (run) => { try { run(); return 'sent' } catch (error) { return error.message } }
    contextBridge.exposeInMainWorld('api', {
      invoke: (...args) => ipcRenderer.invoke(...args),
      sendPort: () => attempt(() => ipcRenderer.send('x', new MessageChannel().port1)),
      postBytes: () => attempt(() => ipcRenderer.postMessage('x', 1, [new ArrayBuffer(1)])),
      postFunction: () => attempt(() => ipcRenderer.send('x', () => {})),
    })`

  test('an error of a handler arrives as its text, and as nothing else', async () => {
    bench.electron.ipcMain.handle('fails', () => {
      throw Object.assign(new TypeError('of main'), { code: 'E_CODE' })
    })
    const { page } = await open(API)
    const said = page.evaluate(
      `api.invoke('fails').catch((error) => ({ message: error.message, code: error.code ?? null }))`,
    )
    expect(await said).toEqual({
      message: "Error invoking remote method 'fails': TypeError: of main",
      code: null,
    })
    bench.electron.ipcMain.removeHandler('fails')
    await expect(page.evaluate(`api.invoke('fails')`)).rejects.toThrow(
      "No handler registered for 'fails'",
    )
  })

  test('send carries no ports and no functions, postMessage transfers ports only', async () => {
    const { page } = await open(API)
    expect(await page.evaluate('api.sendPort()')).toBe('An object could not be cloned.')
    expect(await page.evaluate('api.postFunction()')).toBe('An object could not be cloned.')
    expect(await page.evaluate('api.postBytes()')).toBe('Invalid value for transfer')
  })

  test('values arrive as structured clones', async () => {
    const { ipcMain } = bench.electron
    ipcMain.handle('echo', (_, value) => value)
    const sent = nextEvent<[IpcMainEvent, unknown]>(ipcMain, 'values')
    const { page } = await open(
      `const { ipcRenderer } = require('electron')
       const loop = { list: [undefined, null, -0, NaN, 10n] }
       loop.self = loop
       const bytes = new Uint8Array([1, 2, 3, 4])
       ipcRenderer.send('values', { loop, map: new Map([[{}, new Set([1])]]), date: new Date(0), pattern: /a/gi, part: bytes.subarray(1, 3), error: new RangeError('far') })`,
    )
    const [, value] = await sent
    const { loop, ...rest } = value as { loop: { self: unknown; list: unknown[] } }
    expect(loop.self).toBe(loop)
    expect(loop.list).toEqual([undefined, null, -0, Number.NaN, 10n])
    expect(rest).toEqual({
      map: new Map([[{}, new Set([1])]]),
      date: new Date(0),
      pattern: /a/gi,
      part: new Uint8Array([2, 3]),
      error: new RangeError('far'),
    })
    expect((rest as { error?: Error }).error?.name).toBe('RangeError')
    ipcMain.removeHandler('echo')
    expect(await page.title()).toBe('/')
  })

  test('the frame’s own ipc comes before the window’s, and that before everyone’s', async () => {
    const { window } = await open('')
    const order: string[] = []
    const { webContents } = window
    const { ipcMain } = bench.electron
    ipcMain.on('x', () => order.push('everyone'))
    webContents.ipc.on('x', () => order.push('window'))
    folder.write('preload.cjs', `require('electron').ipcRenderer.send('x')`)
    await window.loadURL('app://demo/again')
    await expect.poll(() => order).toEqual(['window', 'everyone'])
  })
})

describe('14: schemes', () => {
  test('one without privileges has an opaque origin', async () => {
    const { window, page } = await open('', { url: 'plain://demo/' })
    expect(window.webContents.mainFrame.url).toBe('plain://demo/')
    expect(window.webContents.mainFrame.origin).toBe('null')
    expect(await page.evaluate('self.origin')).toBe('null')
  })

  test('one with privileges has its own origin, and is a secure context', async () => {
    const { window, page } = await open('')
    expect(window.webContents.mainFrame.origin).toBe('app://demo')
    expect(await page.evaluate('isSecureContext')).toBe(true)
  })

  test('a file has an origin for main, and none for others', async () => {
    const window = new bench.electron.BrowserWindow()
    await window.loadFile(folder.write('page.html', '<!doctype html><title>file</title>'))
    expect(window.webContents.mainFrame.origin).toBe('file://')
    const page = await bench.page(window)
    expect(await page.evaluate('self.origin')).toBe('null')
  })
})
