import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Page, chromium as playwright } from 'playwright-core'
import { chromium } from './chromium.ts'

/** Takes the documentation's pictures of the demo, which has been built: docs/images/ for the README, and docs/guide/images/. */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const SIZE = { width: 1180, height: 900 }

const folder = await mkdtemp(join(tmpdir(), 'flashrpc-pictures-'))
await writeFile(join(folder, 'notes.md'), 'notes')
await writeFile(join(folder, 'app.tsx'), 'x'.repeat(2_345))
const demo = spawn(
  process.execPath,
  [join(root, 'apps/demo/dist/server/main.js'), folder, '--port', '0'],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1' } },
)
const address = await new Promise<string>((resolve, reject) => {
  let printed = ''
  demo.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
    const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(printed) ?? []
    if (found && printed.includes('Ctrl+C')) resolve(found)
  })
  demo.once('exit', () => reject(new Error(`The demo has ended: ${printed}`)))
})
const browser = await playwright.launch({ ...(await chromium()), headless: true })

try {
  const light = await open('light')
  const dark = await open('dark')
  const control = await open('light', 'control.html')
  await control.getByRole('button', { name: 'Send to all' }).click()
  await control.getByText('Sent to 2 pages').waitFor()
  await writeFile(join(folder, 'app.tsx'), 'x'.repeat(2_500))
  await writeFile(join(folder, 'todo.md'), 'Write the changelog')
  for (const page of [light, dark]) {
    await page.locator('[data-path="todo.md"]').waitFor()
    await page.getByRole('option', { name: /^app\.tsx/ }).click()
    await page.locator('[data-sha256]').waitFor()
  }
  await take(light, 'images/demo-light')
  await take(dark, 'images/demo-dark')

  await light.getByLabel('Take questions').uncheck()
  await control.getByRole('button', { name: 'Ask' }).nth(1).click()
  await dark.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
  await control.getByText('Answer: Yes').waitFor()
  await take(control, 'guide/images/control')

  await dark.getByRole('button', { name: 'flashrpc devtools' }).click()
  await dark.getByLabel('Take questions').uncheck()
  await dark.getByLabel('Take questions').check()
  await dark.getByLabel('Protocol').check()
  await dark.getByRole('button', { name: 'rpc.methods' }).first().click()
  await take(dark, 'guide/images/devtools')
} finally {
  await browser.close()
  demo.kill('SIGTERM')
  await once(demo, 'exit')
  await rm(folder, { recursive: true })
}

async function open(colorScheme: 'light' | 'dark', path = ''): Promise<Page> {
  const context = await browser.newContext({
    colorScheme,
    viewport: SIZE,
    reducedMotion: 'reduce',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  await page.goto(address + path)
  await page.locator('[data-status=connected]').waitFor()
  return page
}

/** Takes a picture, whose path is from docs/, without `.png`. */
async function take(page: Page, path: string): Promise<void> {
  // Whose machine it is, is nobody's business.
  await page.evaluate(() => {
    for (const place of document.querySelectorAll('.place-folder bdi')) place.textContent = '~/shop'
  })
  await page.screenshot({ path: join(root, 'docs', `${path}.png`), animations: 'disabled' })
  console.log(`docs/${path}.png`)
}
