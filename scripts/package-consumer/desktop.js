import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createElectronHost } from '@flashrpc/electron/main'
import { launchElectronBench } from '@flashrpc/electron/testing'
import { contract } from './contract.js'

/** Main and a page that call each other, on the bench. Its argument says which Chromium. */
const bench = await launchElectronBench(JSON.parse(process.argv[2]))
try {
  const { BrowserWindow, ipcMain, protocol } = bench.electron
  const script = readFileSync(new URL('./window.out.js', import.meta.url))
  protocol.handle('app', ({ url }) =>
    url.endsWith('.js')
      ? new Response(script, { headers: { 'Content-Type': 'text/javascript' } })
      : new Response('<!doctype html><script type="module" src="/window.js"></script>', {
          headers: { 'Content-Type': 'text/html' },
        }),
  )
  const host = createElectronHost(contract, {
    ipcMain,
    allow: ['app://demo'],
    methods: { add: ({ a, b }) => a + b, askMe: (_, { channel }) => channel.other.confirm() },
  })
  const preload = fileURLToPath(new URL('./preload.out.cjs', import.meta.url))
  const window = new BrowserWindow({ webPreferences: { preload, sandbox: true } })
  await window.loadURL('app://demo/')
  const page = await bench.page(window)
  const sum = await page.evaluate(() => globalThis.sum)
  console.log(`main: ${sum}, page: ${await host.channelOf(window).other.confirm()}`)
  await host.close()
} finally {
  await bench.close()
}
