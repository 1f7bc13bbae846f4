import { createHash } from 'node:crypto'
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Electron from 'electron'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openPage, startBrowser } from './browser.ts'
import { runAsk } from './demo.ts'
import { dropFiles } from './drop-files.ts'

/** A running app, as Playwright drives one: its `ElectronApplication`, or the bench's. */
export interface DesktopApp {
  windows(): Page[]
  firstWindow(): Promise<Page>
  /** Runs a function in the main process. */
  evaluate<R, Arg>(
    run: (electron: typeof Electron, arg: Arg) => R | Promise<R>,
    arg: Arg,
  ): Promise<R>
  /** Quits the app, and resolves when it has ended. */
  close(): Promise<void>
}

/** The menu items that the tests click, by their ids. */
type MenuItem = 'new-window' | 'watch-folder' | 'open-in-browser' | 'ask-all' | 'ask-this'

/**
 * What the desktop app must do, whatever drives it.
 *
 * @param launch starts the built app with these arguments after its own.
 */
export function describeDesktop(
  name: string,
  launch: (args: readonly string[]) => Promise<DesktopApp>,
): void {
  describe(name, () => {
    let folder: string
    let app: DesktopApp | undefined
    const temporary: string[] = []

    async function temporaryFolder(): Promise<string> {
      const path = await realpath(await mkdtemp(join(tmpdir(), 'flashrpc-desktop-')))
      temporary.push(path)
      return path
    }

    /** Starts the app and waits until both of its windows are known to main. */
    async function start(): Promise<{ app: DesktopApp; left: Page; right: Page }> {
      const started = await launch([`--folder=${folder}`])
      app = started
      await started.firstWindow()
      await expect.poll(() => started.windows().length, { timeout: 20_000 }).toBe(2)
      await Promise.all(started.windows().map(isConnected))
      const [left, right] = await inOrder(started.windows())
      return { app: started, left, right }
    }

    beforeEach(async () => {
      folder = await temporaryFolder()
    })

    afterEach(async () => {
      await app?.close()
      app = undefined
      await Promise.all(temporary.splice(0).map((path) => rm(path, { recursive: true })))
    })

    describe('two windows', () => {
      test('are connected, each with a number of its own', async () => {
        const { left, right } = await start()
        await left.getByText('window 1', { exact: true }).waitFor()
        await right.getByText('window 2', { exact: true }).waitFor()
        for (const page of [left, right]) {
          await page.getByText('Main calls this window.').waitFor()
          expect(await page.locator('.place-folder').textContent()).toBe(folder)
        }
      })

      test('have devtools, which show what main and the window call', async () => {
        const { left } = await start()
        // Recorded before the panel is opened, which covers the page's lower half.
        await writeFile(join(folder, 'hashed.txt'), 'hashed')
        await left.getByRole('option', { name: /^hashed\.txt/ }).click()
        await left.getByRole('button', { name: 'flashrpc devtools' }).click()
        const rows = left.getByRole('table').locator('tbody tr')
        // Main tells the window of its load all the time.
        await rows.filter({ hasText: '← server' }).filter({ hasText: 'load' }).first().waitFor()
        await rows.filter({ hasText: '→ server' }).filter({ hasText: 'hashFile' }).waitFor()
        await left.getByRole('button', { name: 'hashFile' }).click()
        const details = left.getByRole('complementary', { name: 'Details of hashFile' })
        await details.getByText('hashed.txt').first().waitFor()
      })

      test('are told of each change of a file', async () => {
        const { left, right } = await start()
        await writeFile(join(folder, 'new.txt'), 'x'.repeat(1_234))
        for (const page of [left, right]) {
          await page.locator('[data-kind=added][data-path="new.txt"]').getByText('1.2 kB').waitFor()
        }
        await rm(join(folder, 'new.txt'))
        for (const page of [left, right]) {
          await page.locator('[data-kind=removed][data-path="new.txt"]').waitFor()
        }
      })

      test('draw the load as it arrives', async () => {
        const { left, right } = await start()
        for (const page of [left, right]) {
          const line = page.locator('.is-cpu .plot-line')
          const points = async () => (await line.getAttribute('d'))?.split('L').length ?? 0
          await expect.poll(points, { timeout: 20_000 }).toBeGreaterThan(1)
          const before = await points()
          await expect.poll(points, { timeout: 20_000 }).toBeGreaterThan(before)
        }
      })

      test('let main hash a file, and only of its folder', async () => {
        await writeFile(join(folder, 'file.txt'), 'content')
        const { left } = await start()
        await left.getByRole('option', { name: 'file.txt' }).click()
        await left.locator(`[data-sha256="${sha256('content')}"]`).waitFor()
        await left.getByRole('combobox').fill('../outside.txt')
        await left.getByRole('combobox').press('Enter')
        await left.getByRole('alert').getByText('it is outside of the folder').waitFor()
      })

      test('give main a file that is dropped, and get it back', async () => {
        const { left } = await start()
        const content = 'content'.repeat(100_000)
        await dropFiles(left, { 'dropped.txt': content })
        await left.locator(`[data-dropped-sha256="${sha256(content)}"]`).waitFor()
        await holdDownloads(left)
        await left.getByRole('button', { name: 'Download dropped.txt' }).click()
        await expect.poll(() => heldDownload(left), { timeout: 20_000 }).toBe(content)
      })

      test('become three by the menu', async () => {
        const { app, left, right } = await start()
        await click(app, 'new-window')
        await expect.poll(() => app.windows().length, { timeout: 20_000 }).toBe(3)
        const third = app.windows().find((page) => page !== left && page !== right)
        if (!third) throw new Error('There is no third window')
        await isConnected(third)
        await third.getByText('window 3', { exact: true }).waitFor()
      })

      test('show another folder that the person chooses', async () => {
        const { app, left, right } = await start()
        await writeFile(join(folder, 'before.txt'), 'x')
        await left.locator('[data-path="before.txt"]').waitFor()
        const other = await temporaryFolder()
        await writeFile(join(other, 'there.txt'), 'x')
        await app.evaluate(({ dialog }, chosen) => {
          dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] })
        }, other)
        await click(app, 'watch-folder')
        for (const page of [left, right]) {
          // Narrow windows have no room for it.
          await page.locator('.place-folder').getByText(other).waitFor({ state: 'attached' })
          await page.getByRole('option', { name: 'there.txt' }).waitFor()
          await page.getByText('Nothing has changed yet').waitFor()
        }
        await writeFile(join(other, 'after.txt'), 'x')
        await right.locator('[data-path="after.txt"]').waitFor()
        expect(await right.locator('[data-path="before.txt"]').count()).toBe(0)
      })
    })

    describe('a question of the menu', () => {
      test('is asked in all windows, and all are told how it stands', async () => {
        const { app, left, right } = await start()
        await click(app, 'ask-all')
        await answer(left, 'Yes')
        for (const page of [left, right]) {
          await page.getByText('1 yes, 0 no, 1 still to answer').waitFor()
        }
        await answer(right, 'No')
        for (const page of [left, right]) await tallied(page, '1 yes, 1 no')
        expect(await left.locator('[data-step=ask]').getAttribute('data-done')).toBe('true')
      })

      test('is asked in one window, and in that one only', async () => {
        const { app, left, right } = await start()
        await click(app, 'ask-this')
        const dialogs = async () =>
          (await left.getByRole('dialog').count()) + (await right.getByRole('dialog').count())
        await expect.poll(dialogs, { timeout: 20_000 }).toBe(1)
        const page = (await left.getByRole('dialog').count()) === 1 ? left : right
        await answer(page, 'Yes')
        expect(await dialogs()).toBe(0)
      })

      test('has no answer from a window that is reloaded, which comes back', async () => {
        const { app, left, right } = await start()
        await click(app, 'ask-all')
        await left.getByRole('dialog', { name: 'Deploy?' }).waitFor()
        await left.reload()
        await answer(right, 'Yes')
        await tallied(right, '1 yes, 0 no, 1 without an answer')
        await isConnected(left)
        await left.getByText('window 1', { exact: true }).waitFor()
        expect(await left.getByRole('dialog').count()).toBe(0)
        expect(await left.locator('[data-step=restart]').getAttribute('data-done')).toBe('true')
        await writeFile(join(folder, 'afterwards.txt'), 'x')
        await left.locator('[data-path="afterwards.txt"]').waitFor()
      })

      test('has no answer from a window that is closed', async () => {
        const { app, left, right } = await start()
        await click(app, 'ask-all')
        await left.getByRole('dialog', { name: 'Deploy?' }).waitFor()
        await left.close()
        await answer(right, 'No')
        await tallied(right, '0 yes, 1 no, 1 without an answer')
        expect(app.windows()).toEqual([right])
      })

      test('reaches windows and a browser’s page alike', async () => {
        const { app, left, right } = await start()
        await app.evaluate(({ shell }) => {
          shell.openExternal = async (url) => void Object.assign(globalThis, { openedUrl: url })
        }, undefined)
        await click(app, 'open-in-browser')
        const opened = () =>
          app.evaluate(() => (globalThis as { openedUrl?: string }).openedUrl, undefined)
        await expect.poll(opened, { timeout: 20_000 }).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
        const address = (await opened()) ?? ''
        await withBrowser(async (browser) => {
          const { page } = await openPage(browser, address)
          await using ask = runAsk('Everywhere?', '--port', new URL(address).port)
          for (const asked of [left, right, page]) await answer(asked, 'Yes', 'Everywhere?')
          expect(await ask.ended).toBe(0)
          expect(ask.output()).toContain('page 1 (Electron on ')
          expect(ask.output()).toContain('page 3 (Chrome on ')
          expect(ask.output()).toContain('3 pages: 3 yes, 0 no')
        })
      })
    })

    describe('a page', () => {
      test('can’t lead its window elsewhere', async () => {
        const { app, left } = await start()
        await mark(left)
        for (const url of ['https://example.com/', 'app://demo/index.html', 'data:text/html,hi']) {
          await left.evaluate((to) => {
            page().location.href = to
            function page() {
              return globalThis as unknown as { location: { href: string } }
            }
          }, url)
        }
        // Still there, still the same document, still connected.
        await writeFile(join(folder, 'still.txt'), 'x')
        await left.locator('[data-path="still.txt"]').waitFor()
        expect(await isMarked(left)).toBe(true)
        const urls = await app.evaluate(
          ({ BrowserWindow }) =>
            BrowserWindow.getAllWindows().map((one) => one.webContents.getURL()),
          undefined,
        )
        expect(urls).toEqual(['app://demo/', 'app://demo/'])
      })

      test('opens no windows', async () => {
        const { app, left } = await start()
        for (const url of ['https://example.com/', './', 'about:blank']) {
          await openInVain(left, url)
        }
        await expect.poll(() => app.windows().length, { timeout: 20_000 }).toBe(2)
        const count = ({ BrowserWindow }: typeof Electron) => BrowserWindow.getAllWindows().length
        expect(await app.evaluate(count, undefined)).toBe(2)
      })

      test('runs no script but its own, and reaches nothing', async () => {
        const { left } = await start()
        const outcome = await left.evaluate(async () => {
          const { document, fetch } = globalThis as unknown as {
            fetch(url: string): Promise<unknown>
            document: {
              createElement(name: string): { textContent: string; src: string }
              body: { append(element: unknown): void }
            }
          }
          const inline = document.createElement('script')
          inline.textContent = 'globalThis.ranInline = true'
          document.body.append(inline)
          const foreign = document.createElement('script')
          foreign.src = 'data:text/javascript,globalThis.ranForeign = true'
          document.body.append(foreign)
          const fetched = await fetch('./').then(
            () => 'fetched',
            () => 'refused',
          )
          await new Promise((resolve) => setTimeout(resolve, 200))
          const { ranInline, ranForeign } = globalThis as {
            ranInline?: boolean
            ranForeign?: boolean
          }
          return { ranInline, ranForeign, fetched }
        })
        expect(outcome).toEqual({ fetched: 'refused' })
      })

      test('finds nothing of Node or Electron', async () => {
        const { left } = await start()
        const found = await left.evaluate(() =>
          ['require', 'process', 'module', 'Buffer', 'global', 'ipcRenderer', 'electron'].filter(
            (name) => name in globalThis,
          ),
        )
        expect(found).toEqual([])
      })
    })

    test('quitting ends it, with a question open', async () => {
      const { app, left } = await start()
      await click(app, 'ask-all')
      await left.getByRole('dialog', { name: 'Deploy?' }).waitFor()
      await app.close()
      await expect(app.evaluate(({ app }) => app.getName(), undefined)).rejects.toThrow()
    })
  })
}

/** Clicks an item of the app's menu. */
async function click(app: DesktopApp, id: MenuItem): Promise<void> {
  await app.evaluate(({ Menu }, wanted) => {
    const item = Menu.getApplicationMenu()?.getMenuItemById(wanted)
    if (!item) throw new Error(`There is no menu item ${wanted}`)
    item.click()
  }, id)
}

/** The window is connected, and known to main. */
async function isConnected(page: Page): Promise<void> {
  // Without movement: a browser that draws in software would have nothing else to do.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.locator('[data-status=connected]').waitFor()
  await page.getByText(/^window \d+$/).waitFor()
}

/** Windows by the numbers that they show. */
async function inOrder(pages: readonly Page[]): Promise<[Page, Page]> {
  const numbered = await Promise.all(
    pages.map(async (page) => ({
      page,
      title: await page.getByText(/^window \d+$/).textContent(),
    })),
  )
  numbered.sort((a, b) => (a.title ?? '').localeCompare(b.title ?? ''))
  const [left, right] = numbered.map(({ page }) => page)
  if (!left || !right) throw new Error('There are no two windows')
  return [left, right]
}

async function answer(page: Page, reply: 'Yes' | 'No', question = 'Deploy?'): Promise<void> {
  const dialog = page.getByRole('dialog', { name: question })
  await dialog.getByRole('button', { name: reply, exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

async function tallied(page: Page, outcome: string): Promise<void> {
  await page.locator('.toast').getByText(outcome, { exact: true }).waitFor()
}

/** Opens a window from within a page, and waits until that is refused: it never was, or is closed. */
export async function openInVain(page: Page, url: string): Promise<void> {
  await page.evaluate((to) => {
    const { open } = globalThis as unknown as { open(url: string): unknown }
    Object.assign(globalThis, { opened: open(to) })
  }, url)
  const isOpen = () =>
    page.evaluate(() => {
      const { opened } = globalThis as unknown as { opened: { closed: boolean } | null }
      return opened !== null && !opened.closed
    })
  await expect.poll(isOpen, { timeout: 20_000 }).toBe(false)
}

/** Keeps what a page would hand to the person, whom Electron would ask where to put it. */
async function holdDownloads(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { HTMLAnchorElement } = globalThis as unknown as {
      HTMLAnchorElement: { prototype: { click(): void } }
    }
    HTMLAnchorElement.prototype.click = () => {}
    URL.createObjectURL = (blob) => {
      Object.assign(globalThis, { held: blob })
      return ''
    }
  })
}

async function heldDownload(page: Page): Promise<string | undefined> {
  return page.evaluate(() => (globalThis as { held?: Blob }).held?.text())
}

/** Leaves something in the document that another one would not have. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => void Object.assign(globalThis, { isMarked: true }))
}

async function isMarked(page: Page): Promise<boolean> {
  return page.evaluate(() => (globalThis as { isMarked?: boolean }).isMarked === true)
}

async function withBrowser(use: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await startBrowser()
  try {
    await use(browser)
  } finally {
    await browser.close()
  }
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}
