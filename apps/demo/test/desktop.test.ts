import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ElectronApp, launchElectronApp } from '@flashrpc/electron/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'
import { buildDemo } from './support/build.ts'
import { describeDesktop, openInVain } from './support/desktop-suite.ts'

const MAIN = fileURLToPath(new URL('../dist/desktop/main.js', import.meta.url))

beforeAll(() => buildDemo(), 180_000)

async function launch(args: readonly string[]): Promise<ElectronApp> {
  const { executablePath, args: chromiumArgs } = await chromium()
  return launchElectronApp({ main: MAIN, args, executablePath, chromiumArgs })
}

describeDesktop('the desktop app, on the bench,', launch)

describe('the desktop app, beside its windows,', () => {
  let folder: string
  let app: ElectronApp | undefined

  async function start(): Promise<ElectronApp> {
    const started = await launch([`--folder=${folder}`])
    app = started
    await expect.poll(() => started.windows().length, { timeout: 20_000 }).toBe(2)
    for (const page of started.windows()) await page.getByText(/^window \d+$/).waitFor()
    return started
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flashrpc-desktop-'))
  })

  afterEach(async () => {
    await app?.close()
    app = undefined
    await rm(folder, { recursive: true })
  })

  test('asks all windows from its tray, and notifies of the outcome', async () => {
    const app = await start()
    await app.evaluate(({ bench }) =>
      bench.trays[0]?.menu?.items.find(({ label }) => label === 'Ask all windows')?.click(),
    )
    for (const page of app.windows()) {
      await page
        .getByRole('dialog', { name: 'Deploy?' })
        .getByRole('button', { name: 'No' })
        .click()
    }
    const told = () => app.evaluate(({ bench }) => bench.notifications)
    await expect
      .poll(told, { timeout: 20_000 })
      .toMatchObject([{ title: 'Deploy?', body: '0 yes, 2 no' }])
  })

  test('says that the folder that was chosen is gone, and watches the one before', async () => {
    const app = await start()
    await app.evaluate(
      ({ dialog, Menu }, chosen) => {
        dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] })
        Menu.getApplicationMenu()?.getMenuItemById('watch-folder')?.click()
      },
      join(folder, 'gone'),
    )
    const boxes = () =>
      app.evaluate(({ bench }) =>
        bench.dialogs
          .filter(({ method }) => method === 'showErrorBox')
          .map(({ options }) => options),
      )
    await expect
      .poll(async () => JSON.stringify(await boxes()), { timeout: 20_000 })
      .toMatch(/The folder is not watched.*There is no folder .*gone/)
    const [page] = app.windows()
    expect(await page?.locator('.place-folder').textContent()).toBe(folder)
  })

  test('opens links of its own in a browser, and no page’s', async () => {
    const app = await start()
    const [page] = app.windows()
    if (!page) throw new Error('There is no window')
    const known = 'https://www.jsonrpc.org/specification'
    for (const url of ['https://example.com/', 'file:///etc/passwd', `${known}#more`, known]) {
      await openInVain(page, url)
    }
    const opened = () => app.evaluate(({ bench }) => bench.opened)
    await expect.poll(opened, { timeout: 20_000 }).toEqual([known])
  })

  test('ends with its last window', async () => {
    const app = await start()
    const ended = app.waitForEvent('close')
    for (const page of app.windows()) await page.close()
    await ended
    expect(app.process().exitCode).toBe(0)
  })

  test('says that its folder is not there, and ends', async () => {
    // It may have ended before the launch has.
    const said = await launch([`--folder=${join(folder, 'missing')}`]).then(
      async (launched) => {
        app = launched
        await launched.waitForEvent('close')
        return launched.output()
      },
      (error: unknown) => String(error),
    )
    expect(said).toMatch(/✖ There is no folder .*missing: name one that exists/)
    expect(said).not.toMatch(/^\s+at /m)
  })
})
