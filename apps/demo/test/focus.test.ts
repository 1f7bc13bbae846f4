import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { startDemo } from './support/demo.ts'
import { demoScene } from './support/demo-scene.ts'
import { dropFiles } from './support/drop-files.ts'

const scene = demoScene()
const { open } = scene

/** What has the focus: by its label, or its text. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: element } = document
    return element === document.body
      ? 'nothing'
      : (element?.getAttribute('aria-label') ?? element?.textContent)
  })
const expectFocus = (page: Page, name: string) =>
  expect.poll(() => focused(page), { timeout: 20_000 }).toBe(name)

test('is on the next one of a list when one is put away, and on its heading after the last', async () => {
  const page = await open()
  const room = await open(`${scene.demo.address}control.html`)
  for (const text of ['first', 'second']) {
    await room.getByLabel('Toast for all pages').fill(text)
    await room.getByRole('button', { name: 'Send to all' }).click()
    await page.getByText(text, { exact: true }).waitFor()
  }
  await page.getByRole('button', { name: 'Dismiss “second”' }).press('Enter')
  await expectFocus(page, 'Dismiss “first”')
  await page.keyboard.press('Enter')
  await expectFocus(page, 'Toasts')

  await dropFiles(page, { 'a.txt': 'a', 'b.txt': 'b' })
  await page.getByRole('button', { name: 'Hide a.txt' }).press('Enter')
  await expectFocus(page, 'Hide b.txt')
})

test('stays in its part of the page when a button has done its work', async () => {
  const page = await open()
  await writeFile(join(scene.folder, 'a.txt'), 'a')
  await page.locator('[data-path="a.txt"]').waitFor()
  await page.getByRole('button', { name: 'Clear' }).press('Enter')
  await expectFocus(page, 'File changes')
})

test('is on the button that takes a question back, and on the one that asks again', async () => {
  const page = await open()
  const room = await open(`${scene.demo.address}control.html`)
  await room.getByRole('button', { name: 'Ask' }).press('Enter')
  await page.getByRole('dialog').waitFor()
  await expectFocus(room, 'Take it back')
  await room.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await expectFocus(room, 'Ask')
})

test('is where it was after a question, and on the bar after one that was put aside', async () => {
  const page = await open()
  const room = await open(`${scene.demo.address}control.html`)
  await page.getByRole('combobox').focus()
  await room.getByRole('button', { name: 'Ask' }).click()
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  const isTyping = () =>
    page.evaluate(() => document.activeElement?.getAttribute('role') === 'combobox')
  await expect.poll(isTyping, { timeout: 20_000 }).toBe(true)
  await page.getByRole('button', { name: 'A question waits' }).press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'No', exact: true }).press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const place = () => page.evaluate(() => document.activeElement?.className)
  await expect.poll(place, { timeout: 20_000 }).toBe('top')
})

test('is on the bar when the connection that was tried again is there', async () => {
  const page = await open()
  await scene.demo.program[Symbol.asyncDispose]()
  await page.getByText(/attempt 3 in/).waitFor()
  scene.demo = await startDemo(scene.folder, scene.demo.port)
  await page.getByRole('button', { name: 'Retry now' }).press('Enter')
  await page.locator('[data-status=connected]').waitFor()
  const place = () => page.evaluate(() => document.activeElement?.className)
  await expect.poll(place, { timeout: 20_000 }).toBe('top')
})
