import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium as playwright } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'
import { findPython } from '../../../scripts/python.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const python = await findPython(fileURLToPath(new URL('../requirements.txt', import.meta.url)))
if (python.missing !== undefined) {
  console.warn(`\nSkipped: the page of examples/python-server. ${python.missing}.\n`)
}

describe.skipIf(python.missing !== undefined)('the page', () => {
  let backend: ChildProcess
  let address: string
  let vite: ViteDevServer
  let browser: Browser

  beforeAll(async () => {
    backend = spawn(python.path ?? '', ['-B', 'server.py'], {
      cwd: folder,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [server, started] = await Promise.all([
      listening(backend),
      createServer({
        root: `${folder}/web`,
        configFile: `${folder}/vite.config.ts`,
        server: { port: 0 },
      }).then((made) => made.listen()),
    ])
    vite = started
    browser = await playwright.launch(await chromium())
    address = `${vite.resolvedUrls?.local[0]}?server=${server}`
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await vite?.close()
    if (!backend) return
    backend.kill('SIGKILL')
    if (backend.exitCode === null && backend.signalCode === null) await once(backend, 'exit')
  })

  test('calls the Python backend, and its components are called by it', async () => {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(address)
    const log = page.getByRole('log')
    await log.getByText('Welcome!').waitFor()
    await page.getByText('v2: Add a dark theme, Start faster').waitFor()

    await page.getByRole('button', { name: 'Deploy v1' }).click()
    await page.getByRole('alertdialog', { name: 'Deploy v1?' }).getByText('No').click()
    await log.getByText('v1: cancelled').waitFor()

    await page.getByRole('button', { name: 'Deploy v2' }).click()
    await page.getByRole('alertdialog', { name: 'Deploy v2?' }).getByText('Yes').click()
    await log.getByText('v2: deployed').waitFor()

    // One connection, for all that StrictMode mounts everything twice.
    expect(await log.getByRole('listitem').allTextContents()).toEqual([
      'Welcome!',
      'v1: cancelled',
      'v2: deploying …',
      'v2: deployed',
    ])
    expect(errors).toEqual([])
    await page.close()
  })
})

async function listening(server: ChildProcess): Promise<string> {
  if (!server.stdout) throw new Error('A piped process has it')
  for await (const line of createInterface(server.stdout)) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error('The backend ended before it listened')
}
