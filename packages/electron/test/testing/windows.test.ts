import type { ElectronBench } from '@flashrpc/electron/testing'
import type { BrowserWindow, IpcMainEvent } from 'electron'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createFolder, type Folder, html, launch, nextEvent } from './support.js'

let bench: ElectronBench
let folder: Folder

beforeAll(async () => {
  folder = createFolder()
  bench = await launch({
    serve: ({ url }) => (url.startsWith('http://other.test/') ? html(`<p>${url}</p>`) : undefined),
  })
  bench.electron.protocol.handle('app', ({ url }) => {
    const { pathname } = new URL(url)
    if (pathname === '/never') return new Promise<Response>(() => {})
    if (pathname === '/204') return new Response(null, { status: 204 })
    return html(`<title>${pathname}</title><script>window.early = window.preloaded</script>`)
  })
})

afterEach(() => {
  for (const window of bench.electron.BrowserWindow.getAllWindows()) window.destroy()
})

afterAll(async () => {
  await bench?.close()
  folder[Symbol.dispose]()
})

async function open(url = 'app://demo/index.html', preload?: string): Promise<BrowserWindow> {
  const webPreferences = preload === undefined ? {} : { preload }
  const window = new bench.electron.BrowserWindow({ webPreferences })
  await window.loadURL(url)
  return window
}

const marks = () =>
  folder.write(
    'marks.cjs',
    `require('electron').contextBridge.exposeInMainWorld('preloaded', 'before any script')`,
  )

test('serves a scheme from its handler, as a secure context that main knows by its own address', async () => {
  const window = await open('app://demo/some/page.html?a=1#there')
  const page = await bench.page(window)
  expect(await page.evaluate('isSecureContext')).toBe(true)
  expect(page.url()).toBe('http://demo.app.localhost/some/page.html?a=1#there')
  expect(window.webContents.getURL()).toBe('app://demo/some/page.html?a=1#there')
  const { url, origin, parent, top } = window.webContents.mainFrame
  expect({ url, origin, parent }).toEqual({
    url: 'app://demo/some/page.html?a=1#there',
    origin: 'app://demo',
    parent: null,
  })
  expect(top).toBe(window.webContents.mainFrame)
})

test('refuses to load what nobody serves', async () => {
  const window = new bench.electron.BrowserWindow()
  await expect(window.loadURL('unknown://demo/')).rejects.toMatchObject({
    code: 'ERR_UNKNOWN_URL_SCHEME',
    errno: -302,
  })
  await expect(window.loadURL('http://nowhere.test/')).rejects.toThrow(
    "loading 'http://nowhere.test/'",
  )
  await expect(window.loadURL('no address')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' })
})

test('runs a preload before the first script of its page', async () => {
  const window = await open('app://demo/', marks())
  const page = await bench.page(window)
  expect(await page.evaluate('window.early')).toBe('before any script')
})

test('a load settles when its window is destroyed, however far it has come', async () => {
  for (const waitMs of [0, 1, 30, 100, 400]) {
    const window = new bench.electron.BrowserWindow()
    const loading = window.loadURL('app://demo/never')
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    window.destroy()
    await expect(loading).rejects.toMatchObject({ code: 'ERR_FAILED', url: 'app://demo/never' })
  }
})

test('tells of navigations, and of those that never commit', async () => {
  const window = await open()
  const contents = window.webContents
  const said: unknown[] = []
  contents.on('did-start-navigation', ({ url, isMainFrame, isSameDocument }) =>
    said.push(['start', url, isMainFrame, isSameDocument]),
  )
  contents.on('did-navigate', (_event, url) => said.push(['navigate', url]))
  contents.on('did-navigate-in-page', (_event, url) => said.push(['in page', url]))
  const before = contents.mainFrame
  await expect(window.loadURL('app://demo/204')).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  expect(said).toEqual([['start', 'app://demo/204', true, false]])
  expect(contents.mainFrame).toBe(before)
  expect(before.isDestroyed()).toBe(false)

  said.length = 0
  const page = await bench.page(window)
  const inPage = nextEvent(contents, 'did-navigate-in-page')
  await page.evaluate('history.pushState(null, "", "/pushed")')
  await inPage
  expect(said).toContainEqual(['in page', 'app://demo/pushed'])
  expect(contents.mainFrame.url).toBe('app://demo/pushed')

  said.length = 0
  await window.loadURL('app://other/next')
  expect(said).toEqual([
    ['start', 'app://other/next', true, false],
    ['navigate', 'app://other/next'],
  ])
  expect(before.isDestroyed()).toBe(true)
  expect(() => before.url).toThrow('Render frame was disposed')
})

test('tells of the first navigation of a window, which has a frame already', async () => {
  const { webContents } = new bench.electron.BrowserWindow()
  const started = new Promise<unknown[]>((resolve) => {
    webContents.once('did-start-navigation', ({ frame }, _, __, isMain, ___, routingId) => {
      const { mainFrame } = webContents
      resolve([frame === mainFrame, routingId === mainFrame.routingId, isMain, mainFrame])
    })
  })
  const loading = webContents.loadURL('app://demo/')
  const [isMainFrame, isItsId, isMain, mainFrame] = await started
  expect([isMainFrame, isItsId, isMain]).toEqual([true, true, true])
  await loading
  expect(webContents.mainFrame).not.toBe(mainFrame)
})

test('lets main prevent a navigation that the page began, and only such a one', async () => {
  const window = await open()
  const page = await bench.page(window)
  const asked: string[] = []
  window.webContents.on('will-navigate', (event) => {
    asked.push(event.url)
    if (event.url.includes('other.test')) event.preventDefault()
  })
  await page.evaluate('void (location.href = "http://other.test/away")')
  await vi.waitFor(() => expect(asked).not.toEqual([]), { timeout: 10_000 })
  expect(asked).toEqual(['http://other.test/away'])
  expect(window.webContents.getURL()).toBe('app://demo/index.html')
  const went = nextEvent(window.webContents, 'did-navigate')
  await page.evaluate('void (location.href = "/further")')
  await went
  expect(asked.at(-1)).toBe('app://demo/further')
  await window.loadURL('http://other.test/by-main')
  expect(asked).toHaveLength(2)
})

test('makes a window of a page that a page opened, with a preload before its first script', async () => {
  const window = await open()
  const preload = marks()
  window.webContents.setWindowOpenHandler(() => ({
    action: 'allow',
    overrideBrowserWindowOptions: { webPreferences: { preload } },
  }))
  const page = await bench.page(window)
  for (let round = 0; round < 5; round++) {
    const created = nextEvent<[BrowserWindow, { url: string }]>(
      window.webContents,
      'did-create-window',
    )
    await page.evaluate('void window.open("/popup?x", "named")')
    const [popup, { url }] = await created
    expect(url).toBe('app://demo/popup?x')
    expect(popup).toBeInstanceOf(bench.electron.BrowserWindow)
    const popupPage = await bench.page(popup)
    await popupPage.waitForURL('**/popup?x')
    expect(await popupPage.evaluate('window.early')).toBe('before any script')
    expect(popup.webContents.mainFrame.url).toBe('app://demo/popup?x')
    expect(await popupPage.evaluate('window.opener !== null')).toBe(true)
    const closed = nextEvent(popup, 'closed')
    await popupPage.evaluate('window.close()')
    await closed
  }
})

test('closes a page that main does not let a page open', async () => {
  const window = await open()
  const asked = new Promise<unknown>((resolve) => {
    window.webContents.setWindowOpenHandler(({ url, frameName }) => {
      resolve({ url, frameName })
      return { action: 'deny' }
    })
  })
  const page = await bench.page(window)
  await page.evaluate('void (window.denied = window.open("http://other.test/", "named"))')
  expect(await asked).toEqual({ url: 'http://other.test/', frameName: 'named' })
  await page.waitForFunction('window.denied.closed')
  expect(bench.electron.BrowserWindow.getAllWindows()).toEqual([window])
})

test('gives an empty page that a page opened the preload of its opener', async () => {
  const window = await open('app://demo/', marks())
  const page = await bench.page(window)
  const created = nextEvent<[BrowserWindow]>(window.webContents, 'did-create-window')
  await page.evaluate('void window.open()')
  const [popup] = await created
  const popupPage = await bench.page(popup)
  await popupPage.waitForFunction('window.preloaded === "before any script"')
  expect(popup.webContents.mainFrame.origin).toBe('app://demo')
})

test('finds windows by their ids and contents, and forgets those that are gone', async () => {
  const { BrowserWindow, webContents } = bench.electron
  const one = await open()
  const other = await open()
  expect(BrowserWindow.getAllWindows()).toEqual([one, other])
  expect(BrowserWindow.fromId(one.id)).toBe(one)
  expect(BrowserWindow.fromWebContents(other.webContents)).toBe(other)
  expect(webContents.fromId(other.webContents.id)).toBe(other.webContents)
  other.destroy()
  expect(BrowserWindow.getAllWindows()).toEqual([one])
  expect(webContents.getAllWebContents()).toEqual([one.webContents])
})

test('refuses what is read of a destroyed window', async () => {
  const window = await open()
  const contents = window.webContents
  const events: string[] = []
  window.on('closed', () => events.push('closed'))
  contents.on('destroyed', () => events.push('destroyed'))
  window.close()
  await nextEvent(window, 'closed')
  expect(events.toSorted()).toEqual(['closed', 'destroyed'])
  expect([window.isDestroyed(), contents.isDestroyed()]).toEqual([true, true])
  for (const read of [
    () => window.id,
    () => window.webContents,
    () => window.getTitle(),
    () => contents.id,
    () => contents.mainFrame,
    () => contents.send('channel'),
    () => contents.getURL(),
  ]) {
    expect(read).toThrow(new TypeError('Object has been destroyed'))
  }
  expect(() => contents.off('destroyed', () => {})).not.toThrow()
})

test('keeps a window whose close was prevented', async () => {
  const window = await open()
  window.once('close', (event) => event.preventDefault())
  window.close()
  expect(window.isDestroyed()).toBe(false)
  window.close()
  await nextEvent(window, 'closed')
})

test('tells of a crash, and loads again after it', async () => {
  const window = await open('app://demo/', marks())
  const frame = window.webContents.mainFrame
  const gone = nextEvent<[unknown, { reason: string }]>(window.webContents, 'render-process-gone')
  await bench.crash(window)
  const [, { reason }] = await gone
  expect(reason).toBe('crashed')
  expect(window.webContents.isCrashed()).toBe(true)
  expect(frame.isDestroyed()).toBe(true)
  await window.loadURL('app://demo/again')
  expect(await window.webContents.executeJavaScript('window.early')).toBe('before any script')
})

test('names the member of Electron that it does not play', async () => {
  const window = await open()
  expect(() => window.webContents.printToPDF({})).toThrow('webContents.printToPDF')
  expect(() => window.setVibrancy(null)).toThrow('BrowserWindow.setVibrancy')
  expect(
    () => new bench.electron.BrowserWindow({ webPreferences: { contextIsolation: false } }),
  ).toThrow('contextIsolation: false')
})

test('gives a preload no more than a sandboxed one has', async () => {
  const preload = folder.write(
    'sandboxed.cjs',
    `const { ipcRenderer } = require('electron')
     const names = ['events', 'timers', 'url', 'node:events', 'fs', './other.cjs']
     const found = names.filter((name) => { try { return require(name) } catch { return false } })
     const { sandboxed, contextIsolated, isMainFrame, type } = process
     ipcRenderer.send('found', { found, sandboxed, contextIsolated, isMainFrame, type, file: __filename })`,
  )
  const found = nextEvent<[IpcMainEvent, unknown]>(bench.electron.ipcMain, 'found')
  const window = await open('app://demo/', preload)
  expect((await found)[1]).toEqual({
    found: ['events', 'timers', 'url', 'node:events'],
    sandboxed: true,
    contextIsolated: true,
    isMainFrame: true,
    type: 'renderer',
    file: preload,
  })
  const page = await bench.page(window)
  expect(await page.evaluate('[typeof require, typeof process, typeof module]')).toEqual([
    'undefined',
    'undefined',
    'undefined',
  ])
})

test('tells of a preload that failed, and loads its page', async () => {
  const preload = folder.write('broken.cjs', 'this is no JavaScript')
  const window = new bench.electron.BrowserWindow({ webPreferences: { preload } })
  const failed = nextEvent<[unknown, string, Error]>(window.webContents, 'preload-error')
  await window.loadURL('app://demo/')
  const [, path, error] = await failed
  expect(path).toBe(preload)
  expect(error.message).toContain('SyntaxError')
})

test('runs the preloads of the session before those of the window', async () => {
  const { session, ipcMain } = bench.electron
  const says = (what: string) =>
    folder.write(`${what}.cjs`, `require('electron').ipcRenderer.send('order', '${what}')`)
  const order: unknown[] = []
  ipcMain.on('order', (_event, what) => order.push(what))
  const { defaultSession } = session
  const id = defaultSession.registerPreloadScript({ type: 'frame', filePath: says('session') })
  expect(defaultSession.getPreloadScripts()).toMatchObject([{ id, type: 'frame' }])
  const window = await open('app://demo/', says('window'))
  expect(order).toEqual(['session', 'window'])
  defaultSession.unregisterPreloadScript(id)
  await window.loadURL('app://demo/')
  expect(order).toEqual(['session', 'window', 'window'])
  ipcMain.removeAllListeners('order')
})
