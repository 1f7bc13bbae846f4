import { expect, test } from 'vitest'
import { readGroups } from '../pages.ts'
import { axeFaults, open, origin, visit } from './support/site.ts'

/** The pages of the built site in a real Chromium. */

const PAGES = [...readGroups().values()].flat().map(({ file }) => file.replace(/\.md$/, '.html'))
const PHONE = { width: 375, height: 740 }

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

test.each([
  ['guide/quick-start.html', 'add', 'Promise<number>'],
  ['guide/tutorial-1.html', 'publish', 'Promise<number>'],
])('in %s the type of %s is shown where the pointer is', async (path, name, type) => {
  await using shown = await open(path)
  await shown.page
    .locator('.twoslash-hover', { hasText: new RegExp(`^${name}$`) })
    .last()
    .hover()
  await shown.page.locator('.twoslash-popup-code').filter({ hasText: type }).first().waitFor()
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
    faults.push(...(await axeFaults(page)).map((fault) => `${path}: ${fault}`))
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
