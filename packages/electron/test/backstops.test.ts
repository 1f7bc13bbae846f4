import { EventEmitter } from 'node:events'
import type { IpcMain, IpcMainEvent, MessagePortMain } from 'electron'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { PRELOAD, startDesktop } from './support/desktop.js'
import { eventually } from './support/eventually.js'

/**
 * A page's end closes its port, and main hears of it. Should it ever not, what befalls the window
 * says the same: here, ports tell main of no end.
 */

let desktop: Awaited<ReturnType<typeof startDesktop>>
beforeAll(async () => {
  desktop = await startDesktop()
}, 60_000)
afterEach(() => desktop.reset())
afterAll(() => desktop?.bench.close())

/** Electron's `ipcMain`, with ports that say nothing of their end. */
function withSilentPorts(ipcMain: IpcMain): IpcMain {
  const wrappers = new Map<unknown, (event: IpcMainEvent, message: unknown) => void>()
  const silent = new EventEmitter() as unknown as IpcMain
  silent.on = (channel, listener) => {
    const wrapped = (event: IpcMainEvent, message: unknown) => {
      const { sender, senderFrame } = event
      const ports = event.ports.map(silence)
      listener({ sender, senderFrame, ports } as unknown as IpcMainEvent, message)
    }
    wrappers.set(listener, wrapped)
    ipcMain.on(channel, wrapped)
    return silent
  }
  silent.removeListener = (channel, listener) => {
    ipcMain.removeListener(channel, wrappers.get(listener) as never)
    return silent
  }
  return silent
}

function silence(port: MessagePortMain): MessagePortMain {
  const silent = new EventEmitter()
  port.on('message', (event) => {
    const isGoodbye = (event.data as { flashrpc?: string } | null)?.flashrpc === 'close'
    if (!isGoodbye) silent.emit('message', event)
  })
  return Object.assign(silent, {
    postMessage: (message: unknown) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
  }) as unknown as MessagePortMain
}

async function connected() {
  const host = desktop.host({ ipcMain: withSilentPorts(desktop.bench.electron.ipcMain as never) })
  const reasons: string[] = []
  host.on('disconnect', (_, { reason }) => reasons.push(reason))
  const { window, page } = await desktop.open()
  const channel = await host.whenConnected(window)
  return { host, window, page, channel, reasons }
}

describe('a page whose port does not say so is taken for gone', () => {
  test('when its process is', async () => {
    const { host, window, reasons } = await connected()
    await desktop.bench.crash(window)
    await eventually(() => expect(host.channels.size).toBe(0))
    await eventually(() => expect(reasons).toEqual(["The page's process is gone: crashed"]))
  })

  test('when its window is', async () => {
    const { host, window, reasons } = await connected()
    window.destroy()
    await eventually(() => expect(reasons).toEqual(['The window is gone']))
    expect(host.channels.size).toBe(0)
  })

  test('when another page has come, which stays', async () => {
    const { host, window, page, channel, reasons } = await connected()
    for (let n = 1; n <= 5; n++) {
      await page.reload()
      await eventually(() => expect(reasons).toHaveLength(n))
      const next = await host.whenConnected(window)
      expect(await next.other.title()).toBe('page')
    }
    expect(channel.isConnected).toBe(false)
    expect(host.channels.size).toBe(1)
  })

  test('when a page without a client has come', async () => {
    const { host, window, reasons } = await connected()
    await window.loadURL('app://demo/blank')
    await eventually(() => expect(reasons).toEqual(['The page has gone']))
    expect(host.channels.size).toBe(0)
  })

  test('and not while one only might come', async () => {
    const { host, window, page, channel, reasons } = await connected()
    const started = new Promise((resolve) => {
      window.webContents.once('did-start-navigation', resolve)
    })
    await page.evaluate(() => {
      location.href = '/nothing'
    })
    await started
    await page.evaluate(() => history.pushState({}, '', '/within'))
    await eventually(() => expect(window.webContents.getURL()).toBe('app://demo/within'))
    expect(await channel.other.title()).toBe('page')
    expect(reasons).toEqual([])
    expect(host.channelOf(window)).toBe(channel)
  })
})

test('listeners of a window go with its host', async () => {
  const { webContents } = new desktop.bench.electron.BrowserWindow({
    webPreferences: { preload: PRELOAD },
  })
  const names = ['did-start-navigation', 'did-navigate', 'render-process-gone', 'destroyed']
  const count = () => names.map((name) => webContents.listenerCount(name))
  // The bench listens too, from the first page on.
  await webContents.loadURL('app://demo/blank')
  const before = count()
  const host = desktop.host()
  await webContents.loadURL('app://demo/')
  await host.whenConnected(webContents as never)
  await eventually(() => expect(count()).toEqual(before.map((n) => n + 1)))
  await host.close()
  expect(count()).toEqual(before)
})
