import type { ElectronBench } from '@flashrpc/electron/testing'
import type { IpcMainEvent } from 'electron'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

let bench: ElectronBench
let folder: Folder

beforeAll(async () => {
  folder = createFolder()
  bench = await launch()
  bench.electron.protocol.handle('app', () => html('<title>window</title>'))
})

afterAll(async () => {
  await bench?.close()
  folder[Symbol.dispose]()
})

const echo = () =>
  folder.write(
    'echo.mjs',
    `process.parentPort.on('message', ({ data, ports }) => {
       process.parentPort.postMessage({ data, argv: process.argv.slice(2), type: process.type, send: typeof process.send })
       for (const port of ports) {
         port.on('message', ({ data }) => port.postMessage({ echo: data }))
         port.start()
       }
     })`,
  )

test('is a process of its own, with a parent port that queues until somebody listens', async () => {
  const child = bench.electron.utilityProcess.fork(echo(), ['--one'])
  child.postMessage(new Map([['a', 1n]]))
  const [answer] = await nextEvent(child, 'message')
  expect(answer).toEqual({
    data: new Map([['a', 1n]]),
    argv: ['--one'],
    type: 'utility',
    send: 'undefined',
  })
  expect(child.pid).not.toBe(process.pid)
  const exited = nextEvent(child, 'exit')
  expect(child.kill()).toBe(true)
  await exited
  expect(child.pid).toBeUndefined()
})

test('gets ports from main, which close when it exits', async () => {
  const { utilityProcess, MessageChannelMain } = bench.electron
  const child = utilityProcess.fork(echo())
  const { port1, port2 } = new MessageChannelMain()
  child.postMessage('connect', [port2])
  port1.postMessage({ bytes: new Uint8Array([1, 2]) })
  expect(await nextMessage(port1)).toEqual({ echo: { bytes: new Uint8Array([1, 2]) } })
  const closed = nextEvent(port1, 'close')
  child.kill()
  await closed
})

test('talks to a page over a port that main passed on', async () => {
  const preload = folder.write('hands-over.cjs', HANDS_OVER)
  const { BrowserWindow, ipcMain, utilityProcess } = bench.electron
  const window = new BrowserWindow({ webPreferences: { preload } })
  await window.loadURL('app://demo/')
  const page = await bench.page(window)
  const handed = nextEvent<[IpcMainEvent]>(ipcMain, 'port')
  await page.evaluate(HAND_OVER)
  const [event] = await handed
  const child = utilityProcess.fork(echo())
  child.postMessage('page', event.ports)
  await page.evaluate('port.postMessage([1, 2])')
  await page.waitForFunction('arrivals.length > 0')
  expect(await page.evaluate('arrivals')).toEqual([{ echo: [1, 2] }])
  child.kill()
  expect(await page.evaluate('portClosed')).toBe('closed')
})

test('gives its output and its exit code', async () => {
  const module = folder.write('fails.mjs', `console.log('said'); process.exit(3)`)
  const child = bench.electron.utilityProcess.fork(module, [], { stdio: 'pipe' })
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  expect(await nextEvent(child, 'exit')).toEqual([3])
  expect(said).toBe('said\n')
})
