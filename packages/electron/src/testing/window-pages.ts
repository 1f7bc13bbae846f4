import type { Browser, BrowserContext, Page } from 'playwright-core'
import { ElectronBenchError } from './bench-errors.js'

/** Playwright's view of a Chromium that the bench started. */
export class WindowPages {
  readonly context: BrowserContext
  readonly #browser: Browser
  readonly #targetIds = new WeakMap<Page, Promise<string>>()

  private constructor(browser: Browser, context: BrowserContext) {
    this.#browser = browser
    this.context = context
  }

  /** @throws {ElectronBenchError} if Playwright is not installed. */
  static async connect(endpoint: string): Promise<WindowPages> {
    const { chromium } = await loadPlaywright()
    const browser = await chromium.connectOverCDP(endpoint)
    const [context] = browser.contexts()
    if (!context) throw new ElectronBenchError('Chromium has no context that Playwright could use')
    return new WindowPages(browser, context)
  }

  /** The page with this id in Chromium; waits for it. */
  async page(targetId: string): Promise<Page> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.context.off('page', look)
        this.#browser.off('disconnected', onGone)
      }
      const look = async (page: Page) => {
        if ((await this.targetIdOf(page)) !== targetId) return
        settle()
        resolve(page)
      }
      const onGone = () => {
        settle()
        reject(new ElectronBenchError('The bench was closed before the page existed'))
      }
      this.context.on('page', look)
      this.#browser.once('disconnected', onGone)
      for (const page of this.context.pages()) void look(page)
    })
  }

  /** The id of a page in Chromium; empty if the page is gone. */
  targetIdOf(page: Page): Promise<string> {
    const known = this.#targetIds.get(page)
    if (known) return known
    const asked = this.#askTargetId(page).catch(() => '')
    this.#targetIds.set(page, asked)
    return asked
  }

  async #askTargetId(page: Page): Promise<string> {
    const session = await this.context.newCDPSession(page)
    const { targetInfo } = await session.send('Target.getTargetInfo')
    await session.detach()
    return targetInfo.targetId
  }

  /** Disconnects; Chromium goes on. */
  close(): Promise<void> {
    return this.#browser.close()
  }
}

async function loadPlaywright(): Promise<typeof import('playwright-core')> {
  try {
    return await import('playwright-core')
  } catch (cause) {
    const message = "The bench's pages are Playwright's: npm install --save-dev playwright-core"
    throw new ElectronBenchError(message, { cause })
  }
}
