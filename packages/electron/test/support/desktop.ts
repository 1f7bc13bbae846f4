import { fileURLToPath } from 'node:url'
import type { ServerChannel } from '@flashrpc/core'
import {
  createElectronHost,
  type ElectronHostOptions,
  type ElectronPage,
} from '@flashrpc/electron/main'
import { launchElectronBench } from '@flashrpc/electron/testing'
import type { BrowserWindow } from 'electron'
import type { Page } from 'playwright-core'
import { chromium } from '../../../../scripts/chromium.js'
import { bundle } from './bundle.js'
import { contract, type MainSide, type PageSide } from './contract.js'

export const PRELOAD = fileURLToPath(new URL('../../dist/preload.cjs', import.meta.url))

export type TestChannel = ServerChannel<MainSide, PageSide, ElectronPage>
export type TestOptions = Partial<ElectronHostOptions<MainSide, PageSide, ElectronPage>>

/** A desktop app of the tests': the bench with a page at `app://demo/`. */
export async function startDesktop(
  extra: (request: Request) => Response | Promise<Response> | undefined = () => undefined,
) {
  const script = await bundle('./page.ts')
  const html = (body = '') =>
    new Response(
      `<!doctype html><title>page</title>${body}<script type="module" src="/page.js"></script>`,
      {
        headers: { 'Content-Type': 'text/html' },
      },
    )
  const pages = (request: Request): Response => {
    const { pathname } = new URL(request.url)
    if (pathname === '/page.js') {
      return new Response(script, { headers: { 'Content-Type': 'text/javascript' } })
    }
    if (pathname === '/nothing') return new Response(null, { status: 204 })
    if (pathname === '/download') {
      return new Response('x', {
        headers: { 'Content-Disposition': 'attachment; filename="x.txt"' },
      })
    }
    if (pathname === '/blank') {
      return new Response('<!doctype html><title>blank</title>', {
        headers: { 'Content-Type': 'text/html' },
      })
    }
    return html()
  }
  const bench = await launchElectronBench({
    ...(await chromium()),
    serve: (request) => extra(request) ?? pages(request),
  })
  const { BrowserWindow, ipcMain, protocol } = bench.electron
  protocol.handle('app', (request) => extra(request) ?? pages(request))
  const aborted: string[] = []
  const hosts: AsyncDisposable[] = []

  function host(options: TestOptions = {}) {
    const made = createElectronHost(contract, {
      ipcMain,
      allow: ['app://demo'],
      timeout: 5_000,
      methods: {
        echo: ({ text }) => text,
        reverse: ({ bytes }) => bytes.slice().reverse(),
        never: ({ text }, { signal }) =>
          new Promise<string>(() => signal.addEventListener('abort', () => aborted.push(text))),
        who: async (_, { channel, identity }) => ({
          origin: identity.frame.origin,
          title: await channel.other.title(),
        }),
        fail: () => {
          throw new Error('a secret of main')
        },
        async *count({ text }, { signal }) {
          try {
            for (let n = 0; ; n++) yield n
          } finally {
            aborted.push(`${text}: ${signal.aborted}`)
          }
        },
        loop: (_, { input }) => input,
        files: {
          reverse: ({ bytes }) => bytes.slice().reverse(),
          lines: {
            async *count({ upTo }) {
              for (let n = 0; n < upTo; n++) yield n
            },
            ask: async ({ text }, { channel }) => channel.other.dialogs.ask({ text }),
          },
        },
      },
      ...options,
    })
    hosts.push(made)
    return made
  }

  async function open(
    url = 'app://demo/',
    webPreferences: Electron.WebPreferences = { preload: PRELOAD },
  ): Promise<{ window: BrowserWindow; page: Page }> {
    const window = new BrowserWindow({ webPreferences })
    await window.loadURL(url)
    return { window, page: await bench.page(window) }
  }

  /** Ends what a test has left, also where it failed. */
  async function reset(): Promise<void> {
    for (const one of hosts.splice(0)) await one[Symbol.asyncDispose]()
    for (const window of BrowserWindow.getAllWindows()) window.destroy()
  }

  return { bench, host, open, aborted, reset, preload: PRELOAD }
}
