import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { chromium } from '../../../../scripts/chromium.ts'

/** The built site, served as any web server does, in a real Chromium. */

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let server: Server
let browser: Browser
/** Where the site is served, without a slash at its end. */
export let origin: string

beforeAll(async () => {
  expect(existsSync(join(dist, 'index.html')), 'Build the site first: pnpm run site').toBe(true)
  server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const file = join(
      dist,
      decodeURIComponent(pathname),
      pathname.endsWith('/') ? 'index.html' : '',
    )
    const type = TYPES[extname(file)]
    if (type === undefined || !existsSync(file)) return response.writeHead(404).end()
    return response.writeHead(200, { 'content-type': type }).end(readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  browser = await playwright.launch({ ...(await chromium()), headless: true })
})

afterAll(async () => {
  await browser?.close()
  await new Promise((resolve) => server.close(resolve))
})

/** Opens a page of the site, and collects what goes wrong in it and what it asks of other hosts. */
export async function open(path: string, options: Parameters<Browser['newPage']>[0] = {}) {
  const page = await browser.newPage(options)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  page.on('request', (request) => {
    const url = request.url().replace(/^blob:/, '')
    if (!url.startsWith(`${origin}/`)) faults.push(url)
  })
  await visit(page, path)
  return { page, faults, [Symbol.asyncDispose]: () => page.close() }
}

export async function visit(page: Page, path: string): Promise<void> {
  await page.goto(`${origin}/${path}`)
  // Vue has taken over the page.
  await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}))
}

/** What axe finds wrong with a page: the rules, and the elements that break them. */
export async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  )
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  )
}
