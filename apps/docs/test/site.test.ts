import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'
import { readGroups } from '../pages.ts'

/** The built site, served as any web server does, in a real Chromium. */

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}
const PAGES = [...readGroups().values()].flat().map(({ file }) => file.replace(/\.md$/, '.html'))
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

test('each page is shown without an error, and asks nothing of another host', async () => {
  await using shown = await open('index.html')
  for (const path of [...PAGES, 'api/index.html', 'guide/']) {
    await visit(shown.page, path)
    await shown.page.locator('h1').first().waitFor()
  }
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

test('no page is wider than a phone', async () => {
  await using shown = await open('index.html', { viewport: PHONE })
  const wide: string[] = []
  for (const path of ['index.html', 'guide/', ...PAGES]) {
    await visit(shown.page, path)
    const width = await shown.page.evaluate(() => document.documentElement.scrollWidth)
    if (width > PHONE.width) wide.push(`${path}: ${width} px`)
  }
  expect(wide).toEqual([])
})
