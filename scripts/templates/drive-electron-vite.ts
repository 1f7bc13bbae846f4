import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type ElectronApp, launchElectronApp } from '@flashrpc/electron/testing'
import type { Page } from 'playwright-core'
import { chromium } from '../chromium.ts'
import { packApp } from '../packed-app.ts'
import { type CreatedApp, printed, TIMEOUT_MS } from './created-app.ts'

/**
 * Uses the template `electron-vite` on the bench that stands in for Electron, as its program can't be had everywhere: as it was
 * built, and with the page of `npm run dev`.
 */
export async function driveElectronVite(app: CreatedApp): Promise<void> {
  assert.equal(await drive(app.folder, {}), 0, 'The devtools are in what is built')
  await drivePacked(app)
  installStandIn(join(app.folder, 'node_modules', 'electron'))
  await using developing = app.open('npm run dev')
  const url = await printed(developing, /page at (http:\S+)/)
  const devtools = await drive(app.folder, { ELECTRON_RENDERER_URL: url })
  assert.equal(devtools, 1, 'There are no devtools while developing')
}

/** A program in place of Electron's: it says what Electron would be told, and stays. */
const STAND_IN = `#!/bin/sh
echo "page at $ELECTRON_RENDERER_URL"
exec sleep 600
`

/** Puts a program where the package of Electron would put the one that it downloads, on Linux. */
function installStandIn(electron: string): void {
  const manifest = readFileSync(join(electron, 'package.json'), 'utf8')
  mkdirSync(join(electron, 'dist'))
  writeFileSync(join(electron, 'dist', 'electron'), STAND_IN, { mode: 0o755 })
  writeFileSync(join(electron, 'dist', 'version'), JSON.parse(manifest).version)
  writeFileSync(join(electron, 'path.txt'), 'electron')
}

/**
 * Uses what a packager would pack, as docs/guide/electron-packaging.md says: what is built, and the dependencies, without those
 * for development.
 */
async function drivePacked(app: CreatedApp): Promise<void> {
  const dependencies = [...dependenciesOf(app.folder, app.folder)]
  const leftOut = /\.map$|^node_modules\/@flashrpc\/[^/]+\/(?:docs|src)\//
  using packed = await packApp(app.folder, ['package.json', 'out', ...dependencies], leftOut)
  assert(packed.files.includes('node_modules/@flashrpc/electron/dist/main.js'))
  const unwanted = packed.files.filter((file) =>
    /^node_modules\/(?:electron|react|vite)\/./.test(file),
  )
  assert.deepEqual(unwanted, [], 'Packages for development are packed')
  const preload = readFileSync(join(packed.folder, 'out/preload/index.cjs'), 'utf8')
  const required = [...preload.matchAll(/require\(["'`](.*?)["'`]\)/g)].map(([, name]) => name)
  assert.deepEqual(required, ['electron'], 'The preload requires what a sandbox does not have')
  assert.equal(await drive(packed.folder, {}), 0)
  console.log(`electron-vite: used from app.asar, ${packed.files.length} files`)
}

/**
 * The folders of what a package needs to run, and of what that needs, as electron-builder finds them: without peers, of which
 * Electron is one.
 *
 * @returns their paths in the app.
 */
function dependenciesOf(app: string, folder: string, found = new Set<string>()): Set<string> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    let at = folder
    while (!existsSync(join(at, 'node_modules', name))) {
      assert.notEqual(at, app, `${name} is not installed`)
      at = dirname(at)
    }
    const path = relative(app, join(at, 'node_modules', name))
    if (found.has(path)) continue
    found.add(path)
    dependenciesOf(app, join(app, path), found)
  }
  return found
}

/** Uses two windows as a person would. @returns how many buttons there are for the devtools. */
async function drive(folder: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { executablePath, args: chromiumArgs } = await chromium()
  await using app = await launchElectronApp({
    main: folder,
    cwd: folder,
    env: { ...process.env, ...env },
    executablePath,
    chromiumArgs,
  })
  const page = await app.firstWindow()
  page.setDefaultTimeout(TIMEOUT_MS)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  try {
    await use(app, page)
  } catch (cause) {
    const shown = await page.locator('body').textContent()
    throw new Error(`${errors.join('\n')}\nThe page shows:\n${shown}\nMain:\n${app.output()}`, {
      cause,
    })
  }
  const devtools = await page.getByRole('button', { name: 'flashrpc devtools' }).count()
  const closed = app.waitForEvent('close')
  await app.evaluate(({ app }) => app.quit())
  await closed
  assert.equal(app.process().exitCode, 0)
  assert.deepEqual(errors, [])
  assert.doesNotMatch(app.output(), /error/i)
  return devtools
}

async function use(app: ElectronApp, page: Page): Promise<void> {
  await page
    .getByRole('status')
    .getByText(/^connected \d/)
    .waitFor()
  await page.getByRole('log').getByText('Welcome!').waitFor()
  await page.getByRole('button', { name: 'Deploy' }).click()
  const question = page.getByRole('alertdialog', { name: 'Deploy v1?' })
  await question.getByRole('button', { name: 'Yes' }).click()
  await page.getByText('v1 is deployed').waitFor()
  const opened = app.waitForEvent('window')
  await page.getByRole('button', { name: 'Open another window' }).click()
  const other = await opened
  await other.getByRole('log').getByText('Welcome!').waitFor({ timeout: TIMEOUT_MS })
  await other.getByRole('button', { name: 'Say hello' }).click()
  await page.getByRole('log').getByText('Hello from another window').waitFor()
}
