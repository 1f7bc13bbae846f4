import { type ElectronApp, launchElectronApp } from '@flashrpc/electron/testing'
import { afterEach, expect, test } from 'vitest'

/**
 * The built app, on a test bench: a real Chromium, and main in a process of its own, without Electron's program. It needs Chrome
 * or Chromium. The variable CHROME_PATH says where it is, if it is not found.
 */

let app: ElectronApp | undefined

afterEach(() => app?.close())

async function start() {
  // In a container, Chromium can't have a sandbox.
  app = await launchElectronApp({ main: '.', chromiumArgs: process.env.CI ? ['--no-sandbox'] : [] })
  return { app, page: await app.firstWindow() }
}

test('shows the connection and the time', async () => {
  const { page } = await start()
  await page
    .getByRole('status')
    .getByText(/^connected \d/)
    .waitFor()
})

test('asks before it deploys', async () => {
  const { page } = await start()
  await page.getByRole('button', { name: 'Deploy' }).click()
  await page.getByRole('alertdialog', { name: 'Deploy v1?' }).getByText('No').click()
  await page.getByText('v1 is not deployed').waitFor()
})

test('says hello to all windows', async () => {
  const { app, page } = await start()
  const opened = app.waitForEvent('window')
  await page.getByRole('button', { name: 'Open another window' }).click()
  const other = await opened
  await other.getByRole('log').getByText('Welcome!').waitFor()
  await other.getByRole('button', { name: 'Say hello' }).click()
  await page.getByRole('log').getByText('Hello from another window').waitFor()
  expect(app.windows()).toHaveLength(2)
})
