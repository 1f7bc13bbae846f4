import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { _electron } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findElectron } from '../src/desktop/electron-binary.ts'
import { buildDemo } from './support/build.ts'
import { type DesktopApp, describeDesktop } from './support/desktop-suite.ts'

/** The app's folder: its package.json names the main file. */
const APP = fileURLToPath(new URL('..', import.meta.url))

/** A folder of their own: a demo that runs already would be told to come to the front. */
let userData: string

beforeAll(async () => {
  userData = await mkdtemp(join(tmpdir(), 'flashrpc-electron-'))
  await buildDemo()
}, 300_000)

afterAll(() => rm(userData, { recursive: true, force: true, maxRetries: 5 }))

async function launch(args: readonly string[], chromiumSandbox = false): Promise<DesktopApp> {
  const electron = findElectron()
  if ('why' in electron) throw new Error(`${electron.why}: ${electron.remedy}`)
  const env = { ...process.env } as Record<string, string>
  // Editors' terminals have it; with it, Electron would be a plain Node.
  delete env.ELECTRON_RUN_AS_NODE
  // Always with its path: without one, Playwright asks the electron package, which downloads.
  return (await _electron.launch({
    executablePath: electron.path,
    args: [APP, `--user-data-dir=${userData}`, ...args],
    env,
    chromiumSandbox,
    timeout: 60_000,
  })) as unknown as DesktopApp
}

describeDesktop('in real Electron', (args) => launch(args))

const isRoot = process.platform === 'linux' && process.getuid?.() === 0
describe.skipIf(isRoot)('in real Electron, with the sandbox of the system (not for root)', () => {
  test('calls go both ways, in two windows, and after a reload', async () => {
    const app = await launch([], true)
    try {
      const page = await app.firstWindow()
      await page.locator('[data-status=connected]').waitFor()
      await page.reload()
      await page.locator('[data-status=connected]').waitFor()
      await page.getByText(/^window \d+$/).waitFor()
      const sandboxed = await app.evaluate(
        ({ app: running }) =>
          running
            .getAppMetrics()
            .filter(({ type }) => type === 'Tab')
            .map((tab) => tab.sandboxed),
        undefined,
      )
      expect(new Set(sandboxed)).not.toContain(false)
      expect(await app.evaluate(() => process.versions.electron, undefined)).toMatch(/^\d+\./)
    } finally {
      await app.close()
    }
  })
})
