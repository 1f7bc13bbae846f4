import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Browser,
  type BrowserContext,
  type Page,
  chromium as playwright,
} from 'playwright-core'
import { build, type PreviewServer, preview } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'
import { createDesk } from '../desk.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))

let built: string
let pages: PreviewServer
let browser: Browser
let context: BrowserContext
let desk: ReturnType<typeof createDesk>
let errors: string[]
let port: number

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'flashrpc-tabs-'))
  const config = { root: join(folder, 'web'), configFile: join(folder, 'vite.config.ts') }
  await build({ ...config, logLevel: 'error', build: { outDir: built, emptyOutDir: true } })
  pages = await preview({
    ...config,
    build: { outDir: built },
    preview: { port: 0, host: '127.0.0.1' },
  })
  browser = await playwright.launch(await chromium())
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await pages?.close()
  await rm(built, { recursive: true })
})

beforeEach(async () => {
  errors = []
  desk = createDesk()
  ;({ port } = await desk.listen({ path: '/ws' }))
  context = await browser.newContext()
})

afterEach(async () => {
  await context.close()
  await desk.close()
  expect(errors).toEqual([])
})

async function open(query = ''): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(
    `${pages.resolvedUrls?.local[0]}?server=ws://127.0.0.1:${port}/ws${encodeURIComponent(query)}`,
  )
  await page.getByRole('status').getByText('connected', { exact: true }).waitFor()
  return page
}

const session = (page: Page) => page.locator('output').textContent()

/** Waits until a tab has read more of its stream. */
async function moving(page: Page): Promise<void> {
  const value = () => page.getByRole('meter').getAttribute('value')
  const before = await value()
  await expect.poll(value, { timeout: 5_000 }).not.toBe(before)
}

/** A page's own process ends at once. */
async function crash(page: Page): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  // It is never answered.
  cdp.send('Page.crash').catch(() => {})
  await crashed
}

/** The one page that all tabs are to the server. */
function onlyChannel() {
  const [channel, ...others] = desk.channels
  if (!channel) throw new Error('Nobody is connected')
  expect(others).toHaveLength(0)
  return channel
}

/** Chromium without a window shows every page: what the browser would tell of one is told by the test. */
async function lookAt(page: Page, others: readonly Page[]): Promise<void> {
  const see = (state: string) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }
  for (const other of others) await other.evaluate(see, 'hidden')
  await page.evaluate(see, 'visible')
}

describe('a tab has a connection of its own', () => {
  test('where it is another user, as its address says', async () => {
    const [one, two] = [await open(), await open()]
    const other = await open('?user=bob')
    const also = await open()
    expect(desk.channels.size).toBe(2)
    const shared = await session(one)
    expect(await session(two)).toBe(shared)
    expect(await session(also)).toBe(shared)
    expect(await session(other)).not.toBe(shared)
    await Promise.all([one.close(), two.close(), also.close()])
    await moving(other)
    await other.close()
  })

  test('where the script of the worker is not served, after a few tries', async () => {
    await context.route(/worker.*\.js/, (route) => route.fulfill({ status: 404 }))
    const [one, two] = [await open(), await open()]
    expect(desk.channels.size).toBe(2)
    await moving(one)
    await Promise.all([one.close(), two.close()])
  })

  test('where the worker is of another version', async () => {
    await context.route(/worker.*\.js/, (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: "onconnect = ({ ports: [port] }) => port.postMessage({ flashrpc: 'worker' })",
      }),
    )
    const [one, two] = [await open(), await open()]
    expect(desk.channels.size).toBe(2)
    await moving(two)
    await Promise.all([one.close(), two.close()])
  })
})

describe('tabs of one origin', () => {
  test('share one connection', async () => {
    const tabs = [await open(), await open(), await open()]
    const sessions = await Promise.all(tabs.map(session))
    expect(sessions).toEqual(Array(3).fill(onlyChannel().id))
  })

  test('are asked where the user looks, and all are told', async () => {
    const [one, two, three] = [await open(), await open(), await open()]
    await one.getByRole('button', { name: 'Deploy' }).click()
    await lookAt(two, [one, three])
    await two
      .getByRole('alertdialog', { name: 'Deploy?' })
      .getByRole('button', { name: 'Yes' })
      .click()
    for (const tab of [one, two, three]) await tab.getByRole('log').getByText('Deployed').waitFor()
    expect(await one.getByRole('alertdialog').count()).toBe(0)

    await lookAt(three, [one, two])
    const asked = onlyChannel().other.confirm({ text: 'Now?' })
    await three
      .getByRole('alertdialog', { name: 'Now?' })
      .getByRole('button', { name: 'No' })
      .click()
    expect(await asked).toBe('no')
  })

  test('may be closed, crash, be reloaded: the others go on', async () => {
    const [one, two, three, four] = [await open(), await open(), await open(), await open()]
    const channel = onlyChannel()
    await expect.poll(() => channel.running).toBe(4)

    await lookAt(one, [two, three, four])
    const asked = channel.other.confirm({ text: 'Still there?' }).catch((error: unknown) => error)
    await one.getByRole('alertdialog').waitFor()
    await one.close()
    expect(await asked).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    await expect.poll(() => channel.running).toBe(3)

    await crash(two)
    await expect.poll(() => channel.running, { timeout: 10_000 }).toBe(2)

    await three.reload()
    await three.getByRole('status').getByText('connected', { exact: true }).waitFor()
    await expect.poll(() => channel.running).toBe(2)
    for (const page of [three, four]) await moving(page)
    expect(onlyChannel()).toBe(channel)
    expect(await session(four)).toBe(channel.id)

    await Promise.all([three.close(), four.close()])
    await expect.poll(() => channel.isConnected, { timeout: 10_000 }).toBe(false)
  })

  test('come back together when the server does', async () => {
    const tabs = [await open(), await open()]
    await desk.close()
    for (const tab of tabs) await tab.getByRole('status').getByText('reconnecting').waitFor()
    desk = createDesk()
    await desk.listen({ port, path: '/ws' })
    for (const tab of tabs) {
      await tab.getByRole('status').getByText('connected', { exact: true }).waitFor()
      expect(await session(tab)).toBe(onlyChannel().id)
      await moving(tab)
    }
  })

  test('take another worker when theirs dies', async () => {
    const tabs = [await open(), await open(), await open(), await open()]
    const before = onlyChannel()
    // It is in the process of one of its pages: of the first, as a rule.
    while (before.isConnected && tabs.length > 2) {
      const [first] = tabs.splice(0, 1)
      if (first) await crash(first)
      await expect
        .poll(() => before.isConnected, { timeout: 3_000 })
        .toBe(false)
        .catch(() => {})
    }
    expect(before.isConnected).toBe(false)
    await expect.poll(() => desk.channels.size, { timeout: 10_000 }).toBe(1)
    for (const tab of tabs) {
      await expect.poll(() => session(tab)).toBe(onlyChannel().id)
      await moving(tab)
    }
  })

  test('have a connection each, where the browser has no SharedWorker', async () => {
    await context.addInitScript('delete globalThis.SharedWorker')
    const tabs = [await open(), await open()]
    const sessions = await Promise.all(tabs.map(session))
    expect(sessions.sort()).toEqual([...desk.channels].map(({ id }) => id).sort())
    expect(new Set(sessions).size).toBe(2)
  })
})
