import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { withPage } from './page.ts'

/**
 * Uses the page of the templates `react-vite` and `next` as a person would.
 *
 * @returns how many buttons there are for the devtools.
 */
export async function driveReactApp(browser: Browser, address: string): Promise<number> {
  let devtools = 0
  await withPage(browser, address, async (page) => {
    await page
      .getByRole('status')
      .getByText(/^connected \d/)
      .waitFor()
    await page.getByRole('log').getByText('Welcome!').waitFor()
    await page.getByRole('button', { name: 'Deploy' }).click()
    const question = page.getByRole('alertdialog', { name: 'Deploy v1?' })
    await question.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('v1 is deployed').waitFor()
    assert.equal(await question.count(), 0, 'The question is still there')
    await withPage(browser, address, async (other) => {
      await other.getByRole('log').getByText('Welcome!').waitFor()
      await other.getByRole('button', { name: 'Say hello' }).click()
      await page.getByRole('log').getByText('Hello from another page').waitFor()
    })
    devtools = await page.getByRole('button', { name: 'flashrpc devtools' }).count()
  })
  return devtools
}
