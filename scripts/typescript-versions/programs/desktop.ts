import { createClient } from '@flashrpc/core'
import { createLoopback } from '@flashrpc/electron/loopback'
import { createElectronHost, type ElectronPage, utilityTransport } from '@flashrpc/electron/main'
import { electronTransport } from '@flashrpc/electron/renderer'
import { launchElectronApp, launchElectronBench } from '@flashrpc/electron/testing'
import { serveUtility } from '@flashrpc/electron/utility'
import '@flashrpc/electron/preload'
import { BrowserWindow, ipcMain } from 'electron'
import { contract } from './contract.js'

/** An Electron app, right parts and wrong ones, whatever `strict` is. */

const methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  ping: () => 1,
  upload: () => 1,
  ticks: () => [],
  log: () => {},
}

export const host = createElectronHost(contract, {
  ipcMain,
  allow: ['app://notes'],
  methods: {
    ...methods,
    add: ({ a }, { identity }) => a + identity.frame.url.length,
    color: () => 'red',
    shape: async () => ({ kind: 'circle', sides: ['a'] }),
  },
})
host.on('connect', (_, page: ElectronPage) => page.frame.origin)
export const answer: Promise<'yes' | 'no'> = host
  .channelOf(new BrowserWindow())
  .other.confirm({ text: '' })

export const service = serveUtility(process.parentPort, contract, {
  methods: { ...methods, color: () => 'red', shape: () => ({ kind: 'circle', sides: ['a'] }) },
})
export const loopback = createLoopback(contract, {
  origins: [],
  methods: {
    ...methods,
    color: () => 'red',
    shape: async () => ({ kind: 'circle', sides: ['a'] }),
  },
})
export const page = createClient(contract, {
  transport: electronTransport(),
  methods: { confirm: () => 'yes' },
})
export const others = [launchElectronApp, launchElectronBench, utilityTransport]

createElectronHost(contract, {
  ipcMain,
  allow: ['app://notes'],
  methods: {
    ...methods,
    // @ts-expect-error: a wrong answer
    color: () => 'blue',
    shape: () => ({ kind: 'circle', sides: [] }),
  },
})
createLoopback(contract, {
  origins: [],
  methods: {
    ...methods,
    color: () => 'red',
    // @ts-expect-error: a wrong literal inside an answer
    shape: () => ({ kind: 'triangle', sides: [] }),
  },
})
