import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { freePort } from '../free-port.ts'
import { type CreatedApp, printed } from './created-app.ts'
import { driveReactApp } from './drive-react-app.ts'

/** Starts the template `react-vite` under Vite, and as it was built; looks at the page of each in Chromium. */
export async function driveReactVite(app: CreatedApp, browser: Browser): Promise<void> {
  await using developing = app.open(`PORT=${await freePort()} npm run dev`)
  await printed(developing, /listening on http/)
  const address = await printed(developing, /Local: +(http:\S+)/)
  assert.equal(await driveReactApp(browser, address), 1, 'There are no devtools while developing')
  await using built = app.open('PORT=0 npm start')
  const builtAddress = await printed(built, /listening on (http:\S+)/)
  assert.equal(await driveReactApp(browser, builtAddress), 0, 'The devtools are in what is built')
}
