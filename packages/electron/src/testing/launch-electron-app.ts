/// <reference lib="esnext.disposable" preserve="true" />
import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { RpcConfigError } from '@flashrpc/core'
import { assertOptions, MAX_TIMER_MS, type OptionKinds } from '@flashrpc/core/internal'
import type * as Electron from 'electron'
import type { BrowserContext, Page } from 'playwright-core'
import { findApp } from './app/app-description.js'
import { AppProcess } from './app/app-process.js'
import type { ElectronBenchError } from './bench-errors.js'
import type { BenchRecord } from './main/bench-record.js'
import { createTemporaryFolder } from './temporary-folder.js'
import { WindowPages } from './window-pages.js'

/** How {@link launchElectronApp} starts. */
export interface ElectronAppOptions {
  /** The app's main file, an ES module or CommonJS, or the folder of a package.json that names it. */
  readonly main: string
  /** The app's arguments: `process.argv` from the third on. Default: none. */
  readonly args?: readonly string[] | undefined
  /** Environment of the app's process. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Working directory of the app's process. Default: this process's. */
  readonly cwd?: string | undefined
  /** Node's own options for the app's process, such as `--enable-source-maps`. Default: none. */
  readonly nodeArgs?: readonly string[] | undefined
  /** The program of Chrome or Chromium. Default: `CHROME_PATH`, then the paths at which they are commonly installed. */
  readonly executablePath?: string | undefined
  /**
   * More switches for Chromium, such as `--no-sandbox` in a container. Those that switch off the
   * web's own security are left out. Default: none.
   */
  readonly chromiumArgs?: readonly string[] | undefined
  /** No window on the screen. Default: `true`. */
  readonly headless?: boolean | undefined
  /** How long the app's start, and each wait for a window, may take, in ms. Default: 30,000. */
  readonly timeout?: number | undefined
  /** How long the app may take to quit before it is ended, in ms. Default: 10,000. */
  readonly quitTimeout?: number | undefined
}

const APP_OPTIONS = {
  main: 'string',
  args: 'list',
  env: 'object',
  cwd: 'string',
  nodeArgs: 'list',
  executablePath: 'string',
  chromiumArgs: 'list',
  headless: 'boolean',
  timeout: 'number',
  quitTimeout: 'number',
} as const satisfies OptionKinds<ElectronAppOptions>

/** The electron module of an app under test, and `bench`: what it would have shown or opened. */
export type BenchedElectron = typeof Electron & {
  /** The windows, dialogs and links that the app would have shown or opened. */
  readonly bench: BenchRecord
}

/** A window in the app's process, as Playwright's JSHandle of one. */
export interface BenchWindowHandle {
  /** Runs a function with the `BrowserWindow` in the app's process. */
  evaluate<R, Arg = undefined>(
    run: (window: Electron.BrowserWindow, argument: Arg) => R | Promise<R>,
    argument?: Arg,
  ): Promise<R>
}

/**
 * A running app; of the same shape as what Playwright's `_electron.launch` gives, so that one test
 * can be run with either.
 */
export interface ElectronApp extends AsyncDisposable {
  /** The pages of the windows that are open, in the order in which they were opened. */
  windows(): Page[]
  /** The page of the first window that is open; waits for one. */
  firstWindow(options?: { timeout?: number }): Promise<Page>
  /** Waits for the next window, or for the app's end. */
  waitForEvent(event: 'window', options?: { timeout?: number }): Promise<Page>
  /** Waits for the end of the app. */
  waitForEvent(event: 'close', options?: { timeout?: number }): Promise<void>
  /** Listens for windows. */
  on(event: 'window', listener: (page: Page) => void): this
  /** Listens for the end of the app. */
  on(event: 'close', listener: () => void): this
  /** Removes a listener. */
  off(event: 'window', listener: (page: Page) => void): this
  /** Removes a listener. */
  off(event: 'close', listener: () => void): this
  /**
   * Runs a function in the app's main process, with the electron module. It is carried there as
   * text: what it uses from around it is missing there. Its argument and its result are cloned.
   */
  evaluate<R, Arg = undefined>(
    run: (electron: BenchedElectron, argument: Arg) => R | Promise<R>,
    argument?: Arg,
  ): Promise<R>
  /** The window of a page. */
  browserWindow(page: Page): Promise<BenchWindowHandle>
  /** Playwright's context of all windows. */
  context(): BrowserContext
  /** The app's main process: one of Node. */
  process(): ChildProcess
  /** The last output of the main process, on both of its streams. */
  output(): string
  /** Quits the app, and ends what does not quit. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Starts an app on the bench: its own main file, unmodified, in a process of its own in which
 * `electron` is the bench, with a real Chromium for its windows. Needs `playwright-core`.
 *
 * @throws {ElectronBenchError} if there is no Chromium, no Playwright, no main file, or the app
 * ends as it starts; with what it wrote.
 * @throws {RpcConfigError} naming the option that is unknown or wrong.
 */
export async function launchElectronApp(options: ElectronAppOptions): Promise<ElectronApp> {
  assertOptions('launchElectronApp', options, APP_OPTIONS)
  if (options.main === undefined) {
    throw new RpcConfigError('main is missing: give the path of the main file of the app')
  }
  const {
    args = [],
    env = process.env,
    cwd,
    nodeArgs = [],
    timeout = 30_000,
    quitTimeout = 10_000,
  } = options
  const { main, ...files } = findApp(options.main)
  const folder = createTemporaryFolder()
  const userData = args.findLast((arg) => arg.startsWith(USER_DATA))?.slice(USER_DATA.length)
  const app = new AppProcess(nodeArgs, env, cwd)
  let pages: WindowPages | undefined

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      await app.close(quitTimeout)
      await pages?.close().catch(() => {})
      folder.remove()
    })()
    return closing
  }
  const windows = new OpenWindows(app)
  try {
    const description = {
      ...files,
      userData: userData ?? join(folder.path, 'user-data'),
      arguments: args,
    }
    const { executablePath, chromiumArgs, headless } = options
    const chromium = { executablePath, args: chromiumArgs, headless, profiles: folder.path }
    const start = app.start({ type: 'start', main, app: description, chromium })
    const endpoint = await within(timeout, start, () => app.error('The app did not start in time'))
    pages = await WindowPages.connect(endpoint)
    windows.show(pages)
  } catch (error) {
    app.child.kill('SIGKILL')
    await close()
    // Why the app failed says more than that nobody could connect to it.
    await app.failed
    throw error
  }
  return new LaunchedApp(app, windows, pages, timeout, close)
}

const USER_DATA = '--user-data-dir='

/** The windows that are open, as pages. Events: `window` with a page. */
class OpenWindows extends EventEmitter {
  readonly #targetIds = new Map<string, Page | undefined>()
  #pages: WindowPages | undefined

  constructor(app: AppProcess) {
    super()
    app.on('window', (targetId: string, isThere: boolean) => {
      if (!isThere) this.#targetIds.delete(targetId)
      else {
        this.#targetIds.set(targetId, undefined)
        void this.#find(targetId)
      }
    })
  }

  /** From now on windows have pages. */
  show(pages: WindowPages): void {
    this.#pages = pages
    for (const targetId of this.#targetIds.keys()) void this.#find(targetId)
  }

  list(): Page[] {
    return [...this.#targetIds.values()].filter(
      (page) => page !== undefined && !page.isClosed(),
    ) as Page[]
  }

  async #find(targetId: string): Promise<void> {
    const page = await this.#pages?.page(targetId).catch(() => undefined)
    if (!page || !this.#targetIds.has(targetId)) return
    this.#targetIds.set(targetId, page)
    this.emit('window', page)
  }
}

class LaunchedApp implements ElectronApp {
  readonly #app: AppProcess
  readonly #windows: OpenWindows
  readonly #pages: WindowPages
  readonly #timeout: number
  readonly #close: () => Promise<void>

  constructor(
    app: AppProcess,
    windows: OpenWindows,
    pages: WindowPages,
    timeout: number,
    close: () => Promise<void>,
  ) {
    this.#app = app
    this.#windows = windows
    this.#pages = pages
    this.#timeout = timeout
    this.#close = close
  }

  windows(): Page[] {
    return this.#windows.list()
  }

  async firstWindow(options?: { timeout?: number }): Promise<Page> {
    const [page] = this.windows()
    return page ?? this.waitForEvent('window', options)
  }

  waitForEvent(event: 'window', options?: { timeout?: number }): Promise<Page>
  waitForEvent(event: 'close', options?: { timeout?: number }): Promise<void>
  waitForEvent(
    event: string,
    { timeout = this.#timeout }: { timeout?: number } = {},
  ): Promise<Page & undefined> {
    const ended = () => this.#app.error(`The app ended before its '${event}'`)
    const late = () => this.#app.error(`There was no '${event}' within ${timeout} ms`)
    let settle = () => {}
    const next = new Promise<Page | undefined>((resolve, reject) => {
      const onWindow = event === 'window' ? resolve : () => {}
      const onExit = () => (event === 'close' ? resolve(undefined) : reject(ended()))
      this.#windows.on('window', onWindow)
      this.#app.on('exit', onExit)
      settle = () => {
        this.#windows.off('window', onWindow)
        this.#app.off('exit', onExit)
      }
      if (this.#app.hasEnded) onExit()
    })
    return within(timeout, next as Promise<never>, late).finally(settle)
  }

  on(event: string, listener: (page: Page) => void): this {
    if (event === 'window') this.#windows.on(event, listener)
    else this.#app.on('exit', listener as () => void)
    return this
  }

  off(event: string, listener: (page: Page) => void): this {
    if (event === 'window') this.#windows.off(event, listener)
    else this.#app.off('exit', listener as () => void)
    return this
  }

  async evaluate<R, Arg = undefined>(
    run: (electron: BenchedElectron, argument: Arg) => R | Promise<R>,
    argument?: Arg,
  ): Promise<R> {
    return (await this.#app.evaluate(String(run), argument)) as R
  }

  async browserWindow(page: Page): Promise<BenchWindowHandle> {
    const targetId = await this.#pages.targetIdOf(page)
    return {
      evaluate: async <R, Arg = undefined>(
        run: (window: Electron.BrowserWindow, argument: Arg) => R | Promise<R>,
        argument?: Arg,
      ) => (await this.#app.evaluate(String(run), argument, targetId)) as R,
    }
  }

  context(): BrowserContext {
    return this.#pages.context
  }

  process(): ChildProcess {
    return this.#app.child
  }

  output(): string {
    return this.#app.output
  }

  close(): Promise<void> {
    return this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

/** @returns the result of the promise. Rejects with the error if the promise takes longer. */
async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
  late: () => ElectronBenchError,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.min(milliseconds, MAX_TIMER_MS))
  })
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}
