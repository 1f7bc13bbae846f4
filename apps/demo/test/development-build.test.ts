import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium as playwright } from 'playwright-core'
import { createServer, preview } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'

/** What Vite serves while developing shows who made a call, and what it builds for users does not. */

const root = fileURLToPath(new URL('support/traced-page', import.meta.url))
const config = { root, configFile: join(root, 'vite.config.ts'), logLevel: 'error' } as const

let folder: string
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashrpc-vite-'))
  browser = await playwright.launch(await chromium())
})

afterAll(async () => {
  await browser?.close()
  await rm(folder, { recursive: true })
})

/** What a page shows of the stack. */
async function stackAt(url: string | undefined): Promise<string> {
  const page = await browser.newPage()
  try {
    await page.goto(url ?? '')
    const shown = page.getByText('timed out')
    return (await shown.textContent()) ?? ''
  } finally {
    await page.close()
  }
}

test('the page that vite serves shows the caller, at its line', async () => {
  const server = await createServer({
    ...config,
    cacheDir: join(folder, 'cache'),
    server: { port: 0 },
  })
  try {
    await server.listen()
    const stack = await stackAt(server.resolvedUrls?.local[0])
    expect(stack).toMatch(/^RpcTimeoutError: "add" timed out after 1 ms: never connected.*\n/)
    expect(stack.split('\n')[1]).toMatch(/at askFromThePage \(.*page\.ts/)
  } finally {
    await server.close()
  }
})

test('the page that vite builds does not', async () => {
  const outDir = join(folder, 'built')
  // As a user runs it: the test's own NODE_ENV would make a build for development of it.
  const { NODE_ENV: _, ...env } = process.env
  const vite = join(
    dirname(createRequire(import.meta.url).resolve('vite/package.json')),
    'bin/vite.js',
  )
  const options = ['--outDir', outDir, '--minify', 'false', '--logLevel', 'error']
  await promisify(execFile)(process.execPath, [vite, 'build', root, ...options], { env, cwd: root })
  const server = await preview({
    ...config,
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
  })
  try {
    const stack = await stackAt(server.resolvedUrls?.local[0])
    expect(stack).toMatch(/"add" timed out after 1 ms: never connected/)
    expect(stack).not.toContain('askFromThePage')
  } finally {
    await server.close()
  }
})
