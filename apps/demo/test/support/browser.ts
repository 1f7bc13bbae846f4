import {
  type Browser,
  type BrowserContextOptions,
  type Page,
  chromium as playwright,
} from 'playwright-core'
import { chromium } from '../../../../scripts/chromium.ts'

/** What a browser says of itself when the server is away: expected, where a server was killed. */
const REFUSED = /WebSocket connection to .* failed/

/** A page of the demo, and what went wrong in it. */
export interface OpenPage {
  readonly page: Page
  readonly errors: readonly string[]
}

/** Starts a Chromium without a window. */
export async function startBrowser(): Promise<Browser> {
  return playwright.launch({ ...(await chromium()), headless: true })
}

/** Opens a page of its own, which shares nothing with others, and waits until it is connected. */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  // Without movement: a browser that draws in software would have nothing else to do.
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  // The longest of the random waits, so that there is a countdown to see.
  await context.addInitScript('Math.random = () => 0.999')
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !REFUSED.test(text)) errors.push(text)
  })
  await page.goto(address)
  await page.locator('[data-status=connected]').waitFor()
  // Known to the server by now; a narrow page does not show it. The control page has no number.
  if (!address.endsWith('control.html')) {
    await page.getByText(/^page \d+$/).waitFor({ state: 'attached' })
  }
  return { page, errors }
}
