import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createEndpoint } from '@flashrpc/core/server'
import { build } from 'esbuild'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.js'
import { polled } from './support/eventually.js'
import { contract } from './support/failing-page/contract.js'
import { rejection } from './support/rejection.js'

const folder = fileURLToPath(new URL('support/failing-page', import.meta.url))
const vite = join(
  dirname(createRequire(import.meta.url).resolve('vite/package.json')),
  'bin/vite.js',
)
/** What Vite has in a terminal: the test runner has set a NODE_ENV of its own. */
const { NODE_ENV: _, ...env } = process.env

const opened: (() => unknown)[] = []
let browser: Browser

beforeAll(async () => {
  browser = await playwright.launch(await chromium())
})

afterAll(() => browser?.close())

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Has the page's server call what fails there. @returns what the page's console showed of that. */
async function printed(address: string, serve: (page: Page) => unknown = () => {}) {
  await using endpoint = createEndpoint(contract, {
    methods: {},
    allowedOrigins: '*',
    logger: false,
  })
  const { url } = await endpoint.listen()
  const context = await browser.newContext()
  opened.push(() => context.close())
  const page = await context.newPage()
  const lines: string[] = []
  page.on('console', (message) => lines.push(message.text()))
  page.on('pageerror', (error) => lines.push(String(error)))
  await serve(page)
  await page.goto(`${address}?url=${encodeURIComponent(url)}`)
  await expect.poll(() => endpoint.channels.size, { timeout: 20_000 }).toBe(1)
  const [channel] = endpoint.channels
  await channel?.other.toast({ text: 5 } as never)
  await rejection(channel?.other.confirm() as Promise<unknown>)
  await page.evaluate(() => console.log('end'))
  await polled(() => lines).toContain('end')
  return lines.filter((line) => line.startsWith('flashrpc: '))
}

const BOTH = [
  expect.stringMatching(/^flashrpc: "toast" was dropped: Invalid params for "toast": text: /),
  expect.stringMatching(/^flashrpc: "confirm" failed: Error: the dialog broke\n +at /),
]

/** Answers what a page asks its origin for with the files of a folder. */
function serveFiles(origin: string, root: string) {
  return (page: Page) =>
    page.route(`${origin}/**`, async (route) => {
      const { pathname } = new URL(route.request().url())
      const path = pathname === '/' ? '/index.html' : pathname
      const contentType = extname(path) === '.js' ? 'text/javascript' : 'text/html'
      const body = await readFile(join(root, path)).catch(() => undefined)
      await (body ? route.fulfill({ contentType, body }) : route.fulfill({ status: 404 }))
    })
}

async function temporaryFolder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'flashrpc-page-'))
  opened.push(() => rm(made, { recursive: true }))
  return made
}

describe('a page without a logger', () => {
  test('prints what failed where Vite serves it', async () => {
    const server: ChildProcess = spawn(
      process.execPath,
      [vite, '--port', '0', '--host', '127.0.0.1', '--clearScreen', 'false'],
      {
        cwd: folder,
        env: { ...env, NO_COLOR: '1', CACHE_DIR: await temporaryFolder() },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    opened.push(async () => {
      server.kill()
      await once(server, 'exit')
    })
    let said = ''
    server.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
    await expect.poll(() => said, { timeout: 20_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\//)
    const [address = ''] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? []
    expect(await printed(address)).toEqual(BOTH)
  })

  test('prints nothing where Vite has built it', async () => {
    const outDir = await temporaryFolder()
    await promisify(execFile)(
      process.execPath,
      [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'],
      { cwd: folder, env },
    )
    // It would be in development by its origin.
    const origin = 'http://localhost:5173'
    expect(await printed(`${origin}/`, serveFiles(origin, outDir))).toEqual([])
  })

  test.each([
    ['what failed where it comes from this machine', 'http://localhost:5173', BOTH],
    ['nothing where it comes from elsewhere', 'http://app.example.com', []],
  ])('and without a bundler’s NODE_ENV prints %s', async (_name, origin, expected) => {
    const root = await temporaryFolder()
    await build({
      entryPoints: [join(folder, 'page.ts')],
      outfile: join(root, 'page.js'),
      bundle: true,
      format: 'esm',
      // As for browsers, but that leaves `process.env.NODE_ENV` alone.
      platform: 'neutral',
      conditions: ['@flashrpc/source', 'browser'],
      mainFields: ['browser', 'module', 'main'],
      logLevel: 'error',
    })
    const html = '<!doctype html><script type="module" src="/page.js"></script>'
    const serve = async (page: Page) => {
      await serveFiles(origin, root)(page)
      await page.route(`${origin}/?*`, (route) =>
        route.fulfill({ contentType: 'text/html', body: html }),
      )
    }
    expect(await readFile(join(root, 'page.js'), 'utf8')).toContain('process.env.NODE_ENV')
    expect(await printed(`${origin}/`, serve)).toEqual(expected)
  })
})
