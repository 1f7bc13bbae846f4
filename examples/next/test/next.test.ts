import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const endsWithParent = new URL(
  `../../../scripts/ends-with-parent.mjs?${process.pid}`,
  import.meta.url,
).href
const built = '.next-test'

function envOf(mode: 'production' | 'development'): NodeJS.ProcessEnv {
  const own = { NEXT_DIST_DIR: built, NEXT_TELEMETRY_DISABLED: '1', PORT: '0' }
  return { ...process.env, ...own, NODE_ENV: mode }
}

/** Starts a Node program in the app's folder, which does not outlive the tests: killed ones can't end it. */
function startProgram(mode: 'production' | 'development', args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', endsWithParent, ...args], {
    cwd: folder,
    env: envOf(mode),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

/** All that a program prints, as it comes. */
function hear(program: ChildProcess, listener: (text: string) => void): void {
  program.stdout?.on('data', (chunk: Buffer) => listener(String(chunk)))
  program.stderr?.on('data', (chunk: Buffer) => listener(String(chunk)))
}

async function build(): Promise<void> {
  const next = createRequire(join(folder, 'package.json')).resolve('next/dist/bin/next')
  const program = startProgram('production', [next, 'build'])
  let printed = ''
  hear(program, (text) => (printed += text))
  const [code] = await once(program, 'close')
  if (code !== 0) throw new Error(`next build ended with ${code}:\n${printed}`)
}

let browser: Browser
let page: Page
let errors: string[]

// On a machine with two slow cores, `next build` takes minutes.
beforeAll(async () => {
  await build()
  browser = await playwright.launch(await chromium())
}, 600_000)

afterAll(async () => {
  await browser?.close()
  await rm(join(folder, built), { recursive: true, force: true })
})

beforeEach(async () => {
  errors = []
  page = await browser.newPage()
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
})

afterEach(async () => {
  await page.close()
  expect(errors).toEqual([])
})

interface Running extends AsyncDisposable {
  readonly url: string
  /** All that it has printed since it listens. */
  readonly log: string[]
}

async function start(mode: 'production' | 'development'): Promise<Running> {
  const server = startProgram(mode, ['--import', 'tsx', 'server.ts'])
  const log: string[] = []
  const ended = once(server, 'close')
  const url = await new Promise<string>((listens, fails) => {
    hear(server, (text) => {
      log.push(...text.split('\n').filter(Boolean))
      const at = log.findIndex((line) => line.startsWith('listening on '))
      if (at < 0) return
      listens(String(log[at]).slice('listening on '.length))
      log.splice(0, at + 1)
    })
    ended.then(
      ([code]) => fails(new Error(`server.ts ended with ${code}: ${log.join('\n')}`)),
      fails,
    )
  })
  return {
    url,
    log,
    async [Symbol.asyncDispose]() {
      server.kill()
      // Next may wait for a compilation that hangs.
      const kill = setTimeout(() => server.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(kill)
    },
  }
}

/** What the server rendered, before any script ran. */
async function htmlOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
  expect(response.status).toBe(200)
  return (await response.text()).replaceAll('<!-- -->', '')
}

describe('a Next app that was built', () => {
  let app: Running

  beforeAll(async () => {
    app = await start('production')
  }, 120_000)

  afterAll(async () => {
    await app?.[Symbol.asyncDispose]()
  })

  test('leaves calls made while rendering to the page', async () => {
    const html = await htmlOf(app.url)
    expect(html).toContain('<output>idle</output>')
    expect(html).toContain('<p>asking…</p>')
    expect(html).not.toContain('Hello')
    await page.goto(app.url)
    await page.getByText('Hello, Ada').waitFor()
    await page.locator('output').getByText('connected').waitFor()
    expect(app.log).toEqual([])
  })

  test('is called by its page, and calls it back', async () => {
    await page.goto(app.url)
    await page.getByText('Hello, Ada').waitFor()
    await page.getByRole('button', { name: 'Deploy' }).click()
    await page.getByRole('dialog', { name: 'Deploy?' }).getByRole('button', { name: 'Yes' }).click()
    await page.getByRole('log').getByText('Deployed').waitFor()
  })

  test('calls from a server component, and the page does not ask again', async () => {
    expect(await htmlOf(`${app.url}/prefetched`)).toContain('<p>Hello, Grace</p>')
    const frames: string[] = []
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => frames.push(String(payload)))
    })
    await page.goto(`${app.url}/prefetched`)
    await page.locator('output').getByText('connected').waitFor()
    await page.getByText('Hello, Grace').waitFor()
    expect(frames.length).toBeGreaterThan(0)
    expect(frames.filter((frame) => frame.includes('greet'))).toEqual([])
    expect(app.log).toEqual([])
  })

  test('has the devtools, rendered by a server component', async () => {
    await page.goto(app.url)
    await page.getByRole('button', { name: 'flashrpc devtools' }).click()
    await page.getByRole('tab', { name: 'Connection' }).waitFor()
  })
})

test('a Next app under development shares its server with what reloads its pages', async () => {
  await using app = await start('development')
  const open: string[] = []
  page.on('websocket', (socket) => {
    const path = new URL(socket.url()).pathname
    open.push(path)
    socket.on('close', () => open.splice(open.indexOf(path), 1))
  })
  // Its first page is compiled when it is asked for: for minutes, on a machine with two slow cores.
  await page.goto(app.url, { timeout: 240_000 })
  await page.getByText('Hello, Ada').waitFor({ timeout: 120_000 })
  await expect
    .poll(() => open.sort(), { timeout: 60_000 })
    .toEqual([expect.stringMatching(/^\/_next\//), '/rpc'])
  expect(app.log.filter((line) => /error/i.test(line))).toEqual([])
  // Ahead of its server, which it would try to reach.
  await page.close()
}, 600_000)
