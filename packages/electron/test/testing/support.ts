import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ElectronBench,
  type ElectronBenchOptions,
  launchElectronBench,
} from '@flashrpc/electron/testing'
import type { MessagePortMain } from 'electron'
import { chromium } from '../../../../scripts/chromium.js'

/** A bench on the Chromium of this repository's tests. */
export async function launch(options: ElectronBenchOptions = {}): Promise<ElectronBench> {
  return launchElectronBench({ ...(await chromium()), ...options })
}

/** A folder of files, which goes with the scope that holds it. */
export interface Folder extends Disposable {
  path(name: string): string
  /** Writes a file; its path. */
  write(name: string, text: string): string
}

export function createFolder(): Folder {
  const root = mkdtempSync(join(tmpdir(), 'electron-bench-test-'))
  const path = (name: string) => join(root, name)
  return {
    path,
    write(name, text) {
      writeFileSync(path(name), text)
      return path(name)
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** An HTML page, as a handler of `protocol.handle` answers it. */
export function html(body: string, headers: Record<string, string> = {}): Response {
  return new Response(`<!doctype html>${body}`, {
    headers: { 'content-type': 'text/html', ...headers },
  })
}

/** The arguments of the next event of this name. */
export function nextEvent<T extends unknown[] = unknown[]>(
  emitter: unknown,
  name: string,
): Promise<T> {
  return new Promise((resolve) => {
    ;(emitter as NodeJS.EventEmitter).once(name, (...args: unknown[]) => resolve(args as T))
  })
}

/** What the next message at a port carries; starts the port. */
export async function nextMessage(port: MessagePortMain | undefined): Promise<unknown> {
  const next = nextEvent<[{ data: unknown }]>(port, 'message')
  port?.start()
  const [event] = await next
  return event.data
}

/** A preload that hands each port that its page posts to its own window over to main. */
export const HANDS_OVER = `
  const { ipcRenderer } = require('electron')
  window.addEventListener('message', (event) => {
    if (event.source === window && event.data === 'hand over') {
      ipcRenderer.postMessage('port', null, event.ports)
    }
  })
`

/** Runs in a page: hands one end of a channel over; the other is \`window.port\`. */
export const HAND_OVER = `{
  const channel = new MessageChannel()
  window.port = channel.port1
  window.arrivals = []
  window.port.onmessage = (event) => window.arrivals.push(event.data)
  window.portClosed = new Promise((resolve) => { window.port.onclose = () => resolve('closed') })
  window.postMessage('hand over', '/', [channel.port2])
}`
