import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { startDemo } from './support/demo.ts'
import { demoScene } from './support/demo-scene.ts'
import { axeFindings } from './support/look.ts'

const scene = demoScene()
const { open } = scene

beforeEach(() => writeFile(join(scene.folder, 'a.txt'), 'a'))

const address = (path: string) => scene.demo.address + path
const control = (options?: BrowserContextOptions) => open(address('control.html'), options)
const mounted = (page: Page, number: number) =>
  page.getByLabel(`Mounted in page ${number}`).getByRole('listitem').allTextContents()

describe('the control page', () => {
  test('shows who is there, and what is mounted there, as it changes', async () => {
    const room = await control()
    await room.getByText('No page is open').waitFor()
    const first = await open()
    await expect
      .poll(() => mounted(room, 1), { timeout: 20_000 })
      .toEqual(['confirm', 'notify', 'load', 'toast', 'tally', 'watching'])
    const second = await open()
    await expect.poll(() => mounted(room, 2), { timeout: 20_000 }).toContain('confirm')

    await first.getByLabel('Take questions').uncheck()
    await expect.poll(() => mounted(room, 1), { timeout: 20_000 }).not.toContain('confirm')
    expect(await mounted(room, 2)).toContain('confirm')
    await room.getByText('This page does not take questions.').waitFor()
    await first.getByLabel('Take questions').check()
    await expect.poll(() => mounted(room, 1), { timeout: 20_000 }).toContain('confirm')

    await second.close()
    await expect.poll(() => room.locator('[data-page]').count(), { timeout: 20_000 }).toBe(1)
  })

  test('asks one page, takes the question back, and hears the answer', async () => {
    const first = await open()
    const second = await open()
    const room = await control()
    const card = room.locator('[data-page="2"]')
    await card.getByLabel('Question to page 2').fill('Ship it?')
    await card.getByRole('button', { name: 'Ask' }).click()
    await second.getByRole('dialog', { name: 'Ship it?' }).waitFor()
    expect(await first.getByRole('dialog').count()).toBe(0)
    await card.getByRole('button', { name: 'Take it back' }).click()
    await second.getByRole('dialog').waitFor({ state: 'detached' })

    await card.getByRole('button', { name: 'Ask' }).click()
    await second.getByRole('dialog').getByRole('button', { name: 'No' }).click()
    await card.getByText('Answer: No').waitFor()
    // The question is still there to be asked again.
    expect(await card.getByLabel('Question to page 2').inputValue()).toBe('Ship it?')
  })

  test('says things with the words of the page', async () => {
    const page = await open()
    const room = await control()
    const card = room.locator('[data-page="1"]')
    await card.getByRole('heading', { name: 'Page 1' }).waitFor()
    await page.locator('.place-page').getByText('page 1').waitFor()
    expect(await card.locator('.card-note').textContent()).toBe('Chrome on Linux')
    const said = async () => (await room.locator('body').textContent()) ?? ''
    const taking = (await page.locator('.switch').textContent()) ?? 'nothing'
    expect(await said()).toContain(`Switch “${taking}” off`)
    await page.getByLabel(taking).uncheck()
    await card.getByText('does not take questions').waitFor()
    await page.getByText('this page does not take questions').waitFor()
    await page.getByLabel(taking).check()

    for (const answer of ['Yes', 'No']) {
      await card.getByRole('button', { name: 'Ask' }).click()
      await page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click()
      await card.getByText(`Answer: ${answer}`, { exact: true }).waitFor()
    }
    const heading = { name: 'Toasts' }
    await page.getByRole('heading', heading).waitFor()
    await room.getByRole('heading', heading).waitFor()
    await page.getByRole('link', { name: 'control page' }).waitFor()
    expect(await said()).not.toMatch(/desk|told/i)
  })

  test('comes back with the server, and shows who has come back', async () => {
    const room = await control()
    await open()
    await room.locator('[data-page="1"]').waitFor()
    await scene.demo.program[Symbol.asyncDispose]()
    await room.locator('[data-status=reconnecting]').waitFor()
    scene.demo = await startDemo(scene.folder, scene.demo.port)
    await room.locator('[data-status=connected]').waitFor()
    await expect.poll(() => mounted(room, 1), { timeout: 20_000 }).toContain('confirm')
  })
})

describe('toasts', () => {
  test('reach every page, are counted, read and put away by keyboard', async () => {
    const page = await open()
    const room = await control()
    await room.getByLabel('Toast for all pages').fill('Lunch is ready')
    await room.getByRole('button', { name: 'Send to all' }).press('Enter')
    await room.getByText('Sent to 1 page').waitFor()
    const toasts = page.getByRole('list', { name: 'Toasts' })
    await toasts.getByText('Lunch is ready').waitFor()
    await room.getByLabel('Toast for all pages').fill('Coffee is ready')
    await room.getByRole('button', { name: 'Send to all' }).press('Enter')
    await page.getByText('2 unread').waitFor()
    await page.getByRole('button', { name: 'Mark read' }).press('Enter')
    await page.getByText('None unread').waitFor()
    await page.getByRole('button', { name: 'Dismiss “Lunch is ready”' }).press('Enter')
    await expect.poll(() => toasts.getByRole('listitem').count(), { timeout: 20_000 }).toBe(1)
  })
})

test('the devtools show what passes, and are loaded only when they are opened', async () => {
  const page = await open()
  const loaded: string[] = []
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname))
  await page.getByRole('button', { name: 'flashrpc devtools' }).click()
  const row = page.getByRole('table').locator('tbody tr').filter({ hasText: 'load' })
  await row.first().waitFor()
  expect(loaded.filter((path) => path.includes('/assets/panel'))).toHaveLength(1)
  expect(await row.first().textContent()).toContain('← server')
})

describe('the pages', () => {
  const check = async (page: Page) => expect(await axeFindings(page)).toEqual([])

  test.each(['light', 'dark'] as const)('have nothing that axe finds, %s', async (colorScheme) => {
    const page = await open(undefined, { colorScheme })
    const room = await control({ colorScheme })
    await room.getByRole('button', { name: 'Send to all' }).click()
    await page.getByRole('list', { name: 'Toasts' }).getByRole('listitem').waitFor()
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const [red = 0] = background.match(/\d+/g)?.map(Number) ?? []
    expect(colorScheme === 'dark' ? red < 60 : red > 200).toBe(true)
    await check(page)
    await check(room)
    await page.getByRole('button', { name: 'flashrpc devtools' }).click()
    await page.getByRole('tab', { name: 'Calls' }).waitFor()
    await check(page)
  })

  test.each(['', 'control.html'])('fit a telephone: /%s', async (path) => {
    const page = await open(address(path), { viewport: { width: 360, height: 740 } })
    if (path) await open()
    await page.getByRole('button', { name: 'flashrpc devtools' }).waitFor()
    const overhang = () =>
      page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
    expect(await overhang()).toBe(0)
    await page.getByRole('button', { name: 'flashrpc devtools' }).click()
    await page.getByRole('tab', { name: 'Calls' }).waitFor()
    expect(await overhang()).toBe(0)
  })
})
