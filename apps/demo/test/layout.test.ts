import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { demoScene } from './support/demo-scene.ts'
import { dropFiles } from './support/drop-files.ts'
import { axeFindings, flawsOf } from './support/look.ts'

const scene = demoScene()
const { open } = scene

const LONG = `${'a-rather-long-folder-name/'.repeat(3)}${'and-a-long-file-name-'.repeat(5)}.test.tsx`
const SIZES = [
  ['a telephone', { width: 390, height: 844 }, 'dark'],
  ['a laptop', { width: 1280, height: 900 }, 'light'],
] as const

/** For tests that look at many states of a page, on a machine that is busy. */
const long = { timeout: 120_000 }

/** Looks at a page from its top to its end. */
async function look(page: Page, state: string): Promise<void> {
  const found: unknown[] = []
  const { height, seen } = await page.evaluate(() => ({
    height: document.documentElement.scrollHeight,
    seen: window.innerHeight,
  }))
  for (let top = 0; top < height; top += seen / 2) {
    await page.evaluate((to) => window.scrollTo(0, to), top)
    found.push(...(await flawsOf(page)))
  }
  await page.evaluate(() => window.scrollTo(0, 0))
  found.push(...(await axeFindings(page)))
  expect({ state, found: [...new Set(found)] }).toEqual({ state, found: [] })
}

test.each(SIZES)(
  'on %s nothing is covered, cut or too small, in any state',
  long,
  async (...args) => {
    const [, viewport, colorScheme] = args
    const options = { viewport, colorScheme }
    await mkdir(join(scene.folder, dirname(LONG)), { recursive: true })
    await writeFile(join(scene.folder, LONG), 'x')
    const page = await open(undefined, options)
    await page.getByRole('option').waitFor()
    await look(page, 'empty')
    const room = await open(`${scene.demo.address}control.html`, options)
    await room.locator('[data-page="1"]').waitFor()

    await writeFile(join(scene.folder, LONG), 'longer')
    for (let n = 0; n < 20; n++) await writeFile(join(scene.folder, `file-${n}.txt`), 'x')
    for (const text of ['Lunch', 'A long toast '.repeat(15)]) {
      await room.getByLabel('Toast for all pages').fill(text)
      await room.getByRole('button', { name: 'Send to all' }).click()
    }
    await room.getByText('Sent to 1 page').waitFor()
    await dropFiles(page, { [`${'a long name '.repeat(12)}.txt`]: 'x', 'b.txt': '', 'c.txt': 'c' })
    await page.getByRole('combobox').fill('and-a-long-file-name')
    await page.getByRole('option').first().click()
    await page.locator('[data-sha256]').waitFor()
    await page.locator('[data-dropped-sha256]').nth(2).waitFor()
    await look(page, 'full')
    await page.getByRole('combobox').fill('no such file')
    await page.getByRole('combobox').press('Enter')
    await page.getByRole('alert').waitFor()
    await look(page, 'failed')
    await look(room, 'control')

    await room.getByRole('button', { name: 'Ask' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await flawsOf(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'A question waits' }).waitFor()

    await scene.demo.program[Symbol.asyncDispose]()
    for (const one of [page, room]) {
      await one.getByText(/attempt \d+ in/).waitFor()
      await look(one, 'reconnecting')
    }
  },
)

test.each(SIZES)('on %s the devtools are as good as the page', long, async (...args) => {
  const [, viewport, colorScheme] = args
  const page = await open(undefined, { viewport, colorScheme })
  const button = page.getByRole('button', { name: 'flashrpc devtools' })
  await writeFile(join(scene.folder, 'a.txt'), 'x')
  await page.getByRole('option', { name: /^a\.txt/ }).click()
  await page.locator('[data-sha256]').waitFor()
  await page.getByRole('combobox').fill('no such file')
  await page.getByRole('combobox').press('Enter')
  await page.getByRole('alert').waitFor()

  await button.click()
  await page.getByRole('tab', { name: 'Calls' }).waitFor()
  await page.locator('tbody tr').first().waitFor()
  for (const position of ['bottom', 'right', 'floating']) {
    await page.getByLabel('Position').selectOption(position)
    await look(page, position)
    const row = page.locator('tbody tr', { hasText: 'hashFile' }).first()
    expect(await isCut(row.getByRole('button'))).toBe(false)
    await row.getByRole('button').click()
    await page.getByRole('complementary', { name: 'Details of hashFile' }).waitFor()
    await look(page, `${position}, a row`)
    await page.getByRole('button', { name: 'Close details' }).click()
  }
  await page.getByLabel('Position').selectOption('bottom')
  for (const tab of ['Timeline', 'Connection']) {
    await page.getByRole('tab', { name: tab }).click()
    await look(page, tab)
  }
  await page.getByRole('tab', { name: 'Calls' }).click()
  await page.getByLabel('Filter by text').fill('no such call')
  await page.getByRole('button', { name: 'Show all' }).waitFor()
  await look(page, 'no row matches')

  // All of the page can be reached beside it.
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight))
  const last = page.getByLabel('Take questions')
  const panel = page.getByRole('region', { name: 'flashrpc devtools' })
  expect(await bottomOf(last)).toBeLessThan((await panel.boundingBox())?.y ?? 0)
})

test.each(['', 'control.html'])(
  'the devtools button covers nothing, on /%s',
  long,
  async (path) => {
    const viewport = { width: 390, height: 844 }
    const page = await open(scene.demo.address + path, { viewport })
    for (let n = 0; n < 3; n++) await open()
    if (path) await page.locator('[data-page="3"]').waitFor()
    const height = await page.evaluate(() => document.documentElement.scrollHeight)
    for (let top = 0; top < height; top += 200) {
      await page.evaluate((to) => window.scrollTo(0, to), top)
      expect(await coveredBy(page, '[data-flashrpc-devtools]')).toEqual([])
    }
  },
)

/** The texts and controls under an element, or under the button in its shadow root; without what is under the bar. */
async function coveredBy(page: Page, selector: string): Promise<string[]> {
  return page.evaluate((wanted) => {
    const host = document.querySelector(wanted)
    const top = host?.shadowRoot?.querySelector('button') ?? host
    if (!top) throw new Error(`There is no ${wanted}`)
    const box = top.getBoundingClientRect()
    const bar = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0
    const found: string[] = []
    const look = (holder: Element | null, rects: Iterable<DOMRect>, what: string) => {
      if (!holder?.checkVisibility() || host?.contains(holder)) return
      const isInBar = holder.closest('.top') !== null
      const isCovered = [...rects].some(
        (rect) =>
          rect.left < box.right &&
          rect.right > box.left &&
          rect.top < box.bottom &&
          rect.bottom > box.top &&
          (isInBar || rect.bottom > bar),
      )
      if (isCovered) found.push(what)
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      if (!text.textContent?.trim()) continue
      const range = document.createRange()
      range.selectNodeContents(text)
      look(text.parentElement, range.getClientRects(), text.textContent)
    }
    for (const control of document.querySelectorAll('a, button, input, select, textarea')) {
      look(control, control.getClientRects(), control.outerHTML)
    }
    return found
  }, selector)
}

async function bottomOf(locator: ReturnType<Page['locator']>): Promise<number> {
  const box = await locator.boundingBox()
  return (box?.y ?? 0) + (box?.height ?? 0)
}

async function isCut(locator: ReturnType<Page['locator']>): Promise<boolean> {
  return locator.evaluate((element) => element.scrollWidth > element.clientWidth)
}
