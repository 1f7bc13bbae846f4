import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { ElectronBenchError, launchElectronBench, NotPlayedError } from '@flashrpc/electron/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chromium } from '../../../../scripts/chromium.js'
import { createFolder, type Folder, html, launch } from './support.js'

let folder: Folder
let temporary: string

beforeEach(async () => {
  folder = createFolder()
  temporary = folder.path('temporary')
  mkdirSync(temporary)
  // Unpacked before, and not into the folder.
  await chromium()
  vi.stubEnv('TMPDIR', temporary)
})

afterEach(() => {
  vi.unstubAllEnvs()
  folder[Symbol.dispose]()
})

/** Folders of benches, and processes that have anything to do with them. */
function left(): string[] {
  const folders = readdirSync(temporary).filter((name) => name.startsWith('electron-bench'))
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')
  return [...folders, ...processes.filter((line) => line.includes(temporary))]
}

test('leaves nothing behind, whatever was open', async () => {
  const bench = await launch()
  const { BrowserWindow, protocol, utilityProcess } = bench.electron
  protocol.handle('app', () => html('<title>page</title>'))
  const window = new BrowserWindow()
  await window.loadURL('app://demo/')
  await bench.page(window)
  void new BrowserWindow().loadURL('app://demo/loads')
  utilityProcess.fork(folder.write('stays.mjs', 'setInterval(() => {}, 1000)'))
  expect(left().length).toBeGreaterThan(1)
  await bench.close()
  await bench.close()
  expect(window.isDestroyed()).toBe(true)
  await expect.poll(left).toEqual([])
})

test('closes at the end of its scope', async () => {
  {
    await using bench = await launch()
    expect(bench.electron.app.isReady()).toBe(true)
  }
  await expect.poll(left).toEqual([])
})

test('says how to get a Chromium where there is none, and leaves nothing behind', async () => {
  const launched = launchElectronBench({ executablePath: folder.path('none') })
  await expect(launched).rejects.toThrow(ElectronBenchError)
  await expect(launched).rejects.toThrow('npx playwright install chromium')
  expect(left()).toEqual([])
})

test('says what a program that is no Chromium said, and leaves nothing behind', async () => {
  const launched = launchElectronBench({ executablePath: process.execPath })
  await expect(launched).rejects.toThrow(/ended at its start.*\n.*bad option/)
  await expect.poll(left).toEqual([])
})

test('keeps the web’s own security, whatever switches it is given', async () => {
  await using bench = await launch({
    args: [...(await chromium()).args, '--disable-web-security'],
    serve: ({ url }) => (url === 'http://other.test/' ? html('secret') : undefined),
  })
  bench.electron.protocol.handle('app', () => html('<title>page</title>'))
  const window = new bench.electron.BrowserWindow()
  await window.loadURL('app://demo/')
  const read = window.webContents.executeJavaScript('fetch("http://other.test/")')
  await expect(read).rejects.toThrow('Failed to fetch')
})

test('reaches nothing but what is served', async () => {
  const asked: string[] = []
  await using bench = await launch({
    serve: ({ url }) => {
      asked.push(url)
      return undefined
    },
  })
  const window = new bench.electron.BrowserWindow()
  await expect(window.loadURL('http://example.com/')).rejects.toThrow('ERR_EMPTY_RESPONSE')
  expect(new Set(asked)).toEqual(new Set(['http://example.com/']))
})

test('what is not played has a type and a name', async () => {
  await using bench = await launch()
  const { app } = bench.electron
  const used = () => app.getFileIcon('/')
  expect(used).toThrow(NotPlayedError)
  expect(used).toThrow(expect.objectContaining({ member: 'app.getFileIcon' }))
})
