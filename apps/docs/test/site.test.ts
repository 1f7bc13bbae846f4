import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'
import { readGroups } from '../pages.ts'

/** The built site, served as any web server does, in a real Chromium. */

const dist = fileURLToPath(new URL('../dist', import.meta.url))
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
const PAGES = [...readGroups().values()].flat().map(({ file }) => file.replace(/\.md$/, '.html'))
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { width: 375, height: 740 }

let server: Server
let browser: Browser
let origin: string

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
async function open(path: string, options: Parameters<Browser['newPage']>[0] = {}) {
  const page = await browser.newPage(options)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) faults.push(request.url())
  })
  await visit(page, path)
  return { page, faults, [Symbol.asyncDispose]: () => page.close() }
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(`${origin}/${path}`)
  // Vue has taken over the page.
  await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}))
}

test('each page is shown on a phone, without an error, and asks nothing of another host', async () => {
  await using shown = await open('index.html', { viewport: PHONE })
  const wide: string[] = []
  for (const path of ['index.html', 'guide/', ...PAGES, 'api/index.html']) {
    await visit(shown.page, path)
    await shown.page.locator('h1').first().waitFor()
    const width = await shown.page.evaluate(() => document.documentElement.scrollWidth)
    if (width > PHONE.width) wide.push(`${path}: ${width} px`)
  }
  expect(wide).toEqual([])
  expect(shown.faults).toEqual([])
})

test('the search finds a page by its words, without a network', async () => {
  await using shown = await open('guide/why.html')
  await shown.page.getByRole('button', { name: 'Search' }).click()
  await shown.page.locator('#localsearch-input').fill('idempotency keys')
  await shown.page.locator('.results a[href^="/guide/idempotency"]').first().click()
  await shown.page.waitForURL(/guide\/idempotency/)
  expect(shown.faults).toEqual([])
})

test('the type of a name is shown where the pointer is', async () => {
  await using shown = await open('guide/quick-start.html')
  await shown.page.locator('.twoslash-hover', { hasText: /^add$/ }).last().hover()
  await shown.page
    .locator('.twoslash-popup-code')
    .filter({ hasText: 'Promise<number>' })
    .first()
    .waitFor()
  expect(shown.faults).toEqual([])
})

/** One page of each kind: axe takes about a second for each. */
const KINDS = [
  'index.html',
  'guide/',
  'guide/quick-start.html',
  'guide/limits.html',
  'guide/electron-errors.html',
  'glossary.html',
  'api/index.html',
  'api/@flashrpc/core/index.html',
  'api/@flashrpc/core/functions/createClient.html',
]

test.each(['light', 'dark'] as const)('axe finds no fault, in %s', async (colorScheme) => {
  await using shown = await open('index.html', { colorScheme })
  const { page } = shown
  const faults: string[] = []
  for (const path of KINDS) {
    await visit(page, path)
    expect(await page.evaluate(() => document.documentElement.classList.contains('dark'))).toBe(
      colorScheme === 'dark',
    )
    await page.evaluate(AXE)
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
    )
    for (const { id, nodes } of violations) {
      faults.push(`${path}: ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
    }
  }
  expect(faults).toEqual([])
})

test('a reader can switch to dark, and the next page is dark, too', async () => {
  await using shown = await open('guide/why.html', { colorScheme: 'light' })
  const { page } = shown
  await page.getByRole('switch').first().click()
  await visit(page, 'guide/streams.html')
  expect(await page.evaluate(() => document.documentElement.className)).toContain('dark')
})

test('llms.txt lists each page, and each is there as Markdown', async () => {
  const list = await (await fetch(`${origin}/llms.txt`)).text()
  const links = [...list.matchAll(/^- \[[^\]]+\]\((\/\S+\.md)\)/gm)].map(([, link]) => link)
  expect(links).toEqual(PAGES.map((path) => `/${path.replace(/html$/, 'md')}`))
  const full = await (await fetch(`${origin}/llms-full.txt`)).text()
  for (const link of links) {
    const page = await (await fetch(`${origin}${link}`)).text()
    expect(page).toMatch(/^# /)
    expect(full).toContain(page.trim())
  }
})
