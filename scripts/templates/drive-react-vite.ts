import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { freePort } from '../free-port.ts'
import { type CreatedApp, printed } from './created-app.ts'
import { withPage } from './page.ts'

/** Starts the template `react-vite` under Vite, and as it was built; looks at the page of each in Chromium. */
export async function driveReactVite(app: CreatedApp, browser: Browser): Promise<void> {
  await using developing = app.open(`PORT=${await freePort()} npm run dev`)
  await printed(developing, /listening on http/)
  const address = await printed(developing, /Local: +(http:\S+)/)
  assert.equal(await drive(browser, address), 1, 'There are no devtools while developing')
  await using built = app.open('PORT=0 npm start')
  const builtAddress = await printed(built, /listening on (http:\S+)/)
  assert.equal(await drive(browser, builtAddress), 0, 'The devtools are in what is built')
}

/** Uses a page as a person would. @returns how many buttons there are for the devtools. */
async function drive(browser: Browser, address: string): Promise<number> {
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
