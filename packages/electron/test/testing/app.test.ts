import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type ElectronApp,
  type ElectronAppOptions,
  launchElectronApp,
} from '@flashrpc/electron/testing'
import type { BrowserWindow } from 'electron'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chromium } from '../../../../scripts/chromium.js'
import { createFolder, type Folder } from './support.js'

let folder: Folder
let app: ElectronApp | undefined

beforeEach(() => {
  folder = createFolder()
})

afterEach(async () => {
  await app?.close()
  app = undefined
  folder[Symbol.dispose]()
})

async function start(options: ElectronAppOptions): Promise<ElectronApp> {
  const { executablePath, args: chromiumArgs } = await chromium()
  app = await launchElectronApp({ executablePath, chromiumArgs, ...options })
  return app
}

/** A small app as an ES module: one window, which asks main by its preload. */
function moduleApp(): string {
  folder.write('package.json', '{ "name": "small", "version": "1.2.3", "type": "module" }')
  folder.write('index.html', '<!doctype html><title>small</title>')
  folder.write(
    'preload.cjs',
    `const { contextBridge, ipcRenderer } = require('electron')
     contextBridge.exposeInMainWorld('api', { ask: (text) => ipcRenderer.invoke('ask', text) })`,
  )
  return folder.write(
    'main.js',
    `import { app, BrowserWindow, dialog, ipcMain, Menu, net, protocol, Tray, nativeImage } from 'electron'
     import { join } from 'node:path'
     import { pathToFileURL } from 'node:url'
     protocol.registerSchemesAsPrivileged([
       { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
     ])
     globalThis.events = []
     for (const name of ['ready', 'window-all-closed', 'before-quit', 'will-quit', 'quit']) {
       app.on(name, () => { events.push(name); console.log('event', name) })
     }
     app.on('window-all-closed', () => app.quit())
     ipcMain.handle('ask', async (event, text) => {
       const { response } = await dialog.showMessageBox({ message: text })
       return { text, response, origin: event.senderFrame.origin }
     })
     await app.whenReady()
     protocol.handle('app', ({ url }) => {
       const { pathname } = new URL(url)
       return net.fetch(pathToFileURL(join(import.meta.dirname, pathname)).href)
     })
     const tray = new Tray(nativeImage.createEmpty())
     const open = () => {
       const window = new BrowserWindow({
         webPreferences: { preload: join(import.meta.dirname, 'preload.cjs') },
       })
       void window.loadURL('app://small/index.html')
     }
     tray.setContextMenu(Menu.buildFromTemplate([{ label: 'Open', click: open }]))
     globalThis.tray = tray
     open()`,
  )
}

test('runs a main file that is an ES module, unmodified', async () => {
  const app = await start({ main: moduleApp() })
  const page = await app.firstWindow()
  await page.waitForFunction('window.api')
  expect(await page.title()).toBe('small')
  await app.evaluate(({ dialog }) => {
    dialog.showMessageBox = async () => ({ response: 7, checkboxChecked: false })
  })
  expect(await page.evaluate('api.ask("Really?")')).toEqual({
    text: 'Really?',
    response: 7,
    origin: 'app://small',
  })
})

test('runs a main file that is CommonJS', async () => {
  const main = folder.write(
    'main.cjs',
    `const { app, BrowserWindow } = require('electron')
     const { join } = require('node:path')
     app.whenReady().then(() => {
       const window = new BrowserWindow()
       window.loadFile(join(__dirname, 'page.html'), { query: { a: '1' } })
     })`,
  )
  folder.write('page.html', '<!doctype html><title>common</title>')
  const app = await start({ main })
  const page = await app.firstWindow()
  await page.waitForURL(/page\.html\?a=1$/)
  expect(await page.title()).toBe('common')
  expect(
    await app.evaluate(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows()
      return window?.webContents.mainFrame.origin
    }),
  ).toBe('file://')
})

test('looks like Electron to main', async () => {
  const app = await start({ main: moduleApp(), args: ['--flag=1', 'word'] })
  const seen = await app.evaluate(({ app }) => ({
    name: app.getName(),
    version: app.getVersion(),
    path: app.getAppPath(),
    isPackaged: app.isPackaged,
    flag: app.commandLine.getSwitchValue('flag'),
    electron: process.versions.electron,
    type: process.type,
    argv: process.argv.slice(1),
    send: typeof process.send,
  }))
  expect(seen).toEqual({
    name: 'small',
    version: '1.2.3',
    path: dirname(folder.path('main.js')),
    isPackaged: false,
    flag: '1',
    electron: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    type: 'browser',
    argv: [folder.path('main.js'), '--flag=1', 'word'],
    send: 'undefined',
  })
  const page = await app.firstWindow()
  await page.waitForFunction('window.api')
  expect(await page.evaluate('navigator.userAgent')).toMatch(
    / small\/1\.2\.3 Chrome\/\S+ Electron\//,
  )
})

test('tells of windows, and of those that were opened later', async () => {
  const app = await start({ main: moduleApp() })
  await app.firstWindow()
  expect(app.windows()).toHaveLength(1)
  const next = app.waitForEvent('window')
  await app.evaluate(({ bench }) => bench.trays[0]?.menu?.items[0]?.click())
  const page = await next
  expect(app.windows()).toEqual([await app.firstWindow(), page])
  const handle = await app.browserWindow(page)
  expect(await handle.evaluate((window: BrowserWindow) => window.id)).toBe(2)
  await handle.evaluate((window, title) => window.setTitle(title), 'named')
  expect(await handle.evaluate((window) => window.getTitle())).toBe('named')
  await handle.evaluate((window) => window.close())
  await expect.poll(() => app.windows().length).toBe(1)
})

test('quits with its last window, in order', async () => {
  const app = await start({ main: moduleApp() })
  await app.firstWindow()
  const closed = app.waitForEvent('close')
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())
  await closed
  expect(app.process().exitCode).toBe(0)
  expect(app.output().match(/(?<=event )\S+/g)).toEqual([
    'ready',
    'window-all-closed',
    'before-quit',
    'will-quit',
    'quit',
  ])
  await expect(app.evaluate(() => 1)).rejects.toThrow('The app has ended')
})

test('carries errors of main to the test', async () => {
  const app = await start({ main: moduleApp() })
  await expect(
    app.evaluate(() => {
      throw new TypeError('of main')
    }),
  ).rejects.toThrow('of main')
  await expect(
    app.evaluate(({ powerMonitor }) => powerMonitor.getSystemIdleTime()),
  ).rejects.toThrow("does not play Electron's powerMonitor.getSystemIdleTime")
  expect(await app.evaluate(() => () => {})).toBeUndefined()
})

test('says why an app did not start, with what it wrote', async () => {
  const main = folder.write('main.mjs', `console.error('no luck'); throw new Error('broken main')`)
  const started = start({ main })
  await expect(started).rejects.toThrow(/broken main/)
  await expect(started).rejects.toThrow(/no luck/)
  await expect(start({ main, executablePath: folder.path('no-chromium') })).rejects.toThrow(
    'There is no Chromium at',
  )
  await expect(start({ main: folder.path('missing.js') })).rejects.toThrow('There is no main file')
})

test('leaves nothing behind, also of an app that does not quit', async () => {
  const temporary = folder.path('temporary')
  mkdirSync(temporary)
  // Unpacked before, and not into the folder.
  await chromium()
  vi.stubEnv('TMPDIR', temporary)
  const main = folder.write(
    'main.mjs',
    `import { app, BrowserWindow, utilityProcess } from 'electron'
     app.on('before-quit', (event) => event.preventDefault())
     await app.whenReady()
     utilityProcess.fork(new URL('child.mjs', import.meta.url).pathname)
     new BrowserWindow().loadURL('data:text/html,<title>stays</title>')`,
  )
  folder.write('child.mjs', 'setInterval(() => {}, 1000)')
  const app = await start({ main, quitTimeout: 500 })
  await app.firstWindow()
  // Chromium by its profile, the utility process by its module.
  expect(processesOf(temporary).length).toBeGreaterThan(1)
  await app.close()
  await app.close()
  vi.unstubAllEnvs()
  expect(app.process().signalCode).toBe('SIGKILL')
  await expect.poll(() => processesOf(temporary)).toEqual([])
  expect(readdirSync(temporary).filter((name) => name.startsWith('electron-bench'))).toEqual([])
})

function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')
  return all.filter((line) => line.includes(folder))
}
