import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import { TIMEOUT_MS } from './created-app.ts'

/** Opens a page, of which no error may be printed until `use` is done. */
export async function withPage(
  browser: Browser,
  address: string,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage()
  page.setDefaultTimeout(TIMEOUT_MS)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  try {
    await page.goto(address)
    await use(page)
  } catch (cause) {
    const shown = await page.locator('body').textContent()
    throw new Error(`${address} failed:\n${errors.join('\n')}\nIt shows:\n${shown}`, { cause })
  } finally {
    await page.close()
  }
  assert.deepEqual(errors, [], `${address} has printed errors`)
}
