import { fileURLToPath } from 'node:url'
import { createEndpoint } from '@flashrpc/core/server'
import { build } from 'esbuild'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.js'
import type { PageFunctions } from './loopback-support/page.js'
import { serve } from './loopback-support/serve.js'

declare const callBothWays: PageFunctions['callBothWays']
declare const attempt: PageFunctions['attempt']

const ORIGIN = 'http://app.localhost'

let browser: Browser
let script: string

beforeAll(async () => {
  const { executablePath, args } = await chromium()
  // As a rebound name does: the attacker's own, and the address of this machine.
  const rebound = '--host-resolver-rules=MAP evil.test 127.0.0.1'
  browser = await playwright.launch({ executablePath, args: [...args, rebound], headless: true })
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./loopback-support/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    conditions: ['@flashrpc/source'],
  })
  script = outputFiles[0]?.text ?? ''
}, 60_000)

afterAll(() => browser?.close())

/** A page with the script, in a context of its own; the documents of these origins are served to it. */
async function open(address: string, documents: Readonly<Record<string, string>> = {}) {
  const context = await browser.newContext()
  await context.addInitScript(script)
  for (const [origin, body] of Object.entries(documents)) {
    await context.route(`${origin}/**`, (route) =>
      route.fulfill({ contentType: 'text/html', body }),
    )
  }
  const page = await context.newPage()
  const response = await page.goto(address)
  return { page, response, [Symbol.asyncDispose]: () => context.close() }
}

/** Whether a page, or the frame in it, gets a WebSocket. */
function tried(page: Page | ReturnType<Page['mainFrame']>, url: string) {
  return page.evaluate((url) => attempt(url), url)
}

describe('a page', () => {
  test('of an allowed origin calls and is called', async () => {
    await using served = await serve({ origins: [ORIGIN], identify: ({ url }) => `page ${url}` })
    const { loopback } = served
    await using opened = await open(`${ORIGIN}/`, { [ORIGIN]: '<p>The app</p>' })
    const url = `${loopback.url}&window=2`
    expect(await opened.page.evaluate((url) => callBothWays(url), url)).toStrictEqual({
      sum: 15,
      said: true,
      who: 'page /?window=2',
    })
    const [channel] = loopback.channels
    expect(await channel?.other.confirm({ text: 'Quit?' })).toBe(true)
    await opened.page.close()
    await expect.poll(() => loopback.channels.size, { timeout: 4_000 }).toBe(0)
    expect(served.rejections).toStrictEqual([])
  })

  test('of an allowed origin is refused without the right token', async () => {
    await using served = await serve({ origins: [ORIGIN] })
    const { address } = served.loopback
    await using opened = await open(`${ORIGIN}/`, { [ORIGIN]: '' })
    expect(await tried(opened.page, address)).toBe('refused')
    expect(await tried(opened.page, `${address}?token=${'0'.repeat(64)}`)).toBe('refused')
    expect(served.rejections).toMatchObject([{ status: 401 }, { status: 401 }])
  })

  test('of another origin is refused, even with the token', async () => {
    await using served = await serve({ origins: [ORIGIN] })
    const other = 'http://other.localhost'
    await using opened = await open(`${other}/`, { [other]: '' })
    expect(await tried(opened.page, served.loopback.url)).toBe('refused')
    expect(served.rejections).toMatchObject([
      { status: 403, message: expect.stringContaining(`"${other}"`) },
    ])
  })

  test('of another origin can read no answer either', async () => {
    await using served = await serve({ origins: [ORIGIN] })
    const other = 'http://other.localhost'
    await using opened = await open(`${other}/`, { [other]: '' })
    const read = await opened.page.evaluate(
      (url) => fetch(url).then(String, (error) => `${error}`),
      served.loopback.url.replace('ws:', 'http:'),
    )
    expect(read).toMatch(/Failed to fetch/)
  })

  test('in a sandboxed iframe of the app is refused: its origin is null', async () => {
    await using served = await serve({ origins: [ORIGIN] })
    const frame = '<iframe sandbox="allow-scripts" src="/frame"></iframe>'
    await using opened = await open(`${ORIGIN}/`, { [ORIGIN]: frame })
    expect(await tried(opened.page, served.loopback.url)).toBe('open')
    const [sandboxed] = opened.page.mainFrame().childFrames()
    if (!sandboxed) throw new Error('There is no frame')
    expect(await sandboxed.evaluate(() => globalThis.origin)).toBe('null')
    expect(await tried(sandboxed, served.loopback.url)).toBe('refused')
    expect(served.rejections).toMatchObject([
      { status: 403, message: expect.stringContaining('sandboxed') },
    ])
    expect(served.rejections[0]?.request.headers.origin).toBe('null')
  })

  test('that goes by the name localhost is refused, whatever its own origin', async () => {
    await using served = await serve({ origins: [ORIGIN] })
    await using opened = await open(`${ORIGIN}/`, { [ORIGIN]: '' })
    const url = served.loopback.url.replace('127.0.0.1', 'localhost')
    expect(await tried(opened.page, url)).toBe('refused')
    expect(served.rejections).toMatchObject([
      { status: 403, message: expect.stringContaining('"localhost:') },
    ])
  })
})

describe('a page whose name was rebound to 127.0.0.1', () => {
  test('gets in where nobody looks at Host: the attack works', async () => {
    const endpoint = createEndpoint<{ secret(): string }>({
      allowedHosts: '*',
      methods: { secret: () => 'x' },
    })
    const { port } = await endpoint.listen()
    try {
      await using opened = await open(`http://evil.test:${port}/`)
      expect(await tried(opened.page, `ws://evil.test:${port}/`)).toBe('open')
    } finally {
      await endpoint.close()
    }
  })

  test('is refused by a loopback, even with the token and as an allowed origin', async () => {
    await using served = await serve({ origins: [ORIGIN, 'http://evil.test'] })
    const { port, token } = served.loopback
    await using opened = await open(`http://evil.test:${port}/`)
    expect(opened.response?.status()).toBe(403)
    expect(await tried(opened.page, `ws://evil.test:${port}/?token=${token}`)).toBe('refused')
    await using allowed = await open('http://evil.test/', { 'http://evil.test': '' })
    expect(await tried(allowed.page, `ws://evil.test:${port}/?token=${token}`)).toBe('refused')
    expect(served.rejections.map(({ status, request }) => [status, request.headers.host])).toEqual(
      Array(2).fill([403, `evil.test:${port}`]),
    )
  })

  test('reads nothing of use, though the server is of its own origin', async () => {
    await using served = await serve({ origins: [ORIGIN] })
    await using opened = await open(`http://evil.test:${served.loopback.port}/`)
    const read = await opened.page.evaluate(async () => {
      const response = await fetch('/?x', { method: 'POST', body: 'x' })
      return [response.status, await response.text()]
    })
    expect(read).toStrictEqual([403, 'Forbidden\n'])
  })
})
