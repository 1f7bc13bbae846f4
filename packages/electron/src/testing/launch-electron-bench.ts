/// <reference lib="esnext.disposable" preserve="true" />
import { join } from 'node:path'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import type { CustomScheme } from 'electron'
import type { Page } from 'playwright-core'
import { PlayedApp } from './main/app.js'
import { type PlayedElectron, startMainProcess } from './main/main-process.js'
import { createTemporaryFolder } from './temporary-folder.js'
import { WindowPages } from './window-pages.js'

/** How {@link launchElectronBench} starts. */
export interface ElectronBenchOptions {
  /** The program of Chrome or Chromium. Default: `CHROME_PATH`, then the paths at which they are commonly installed. */
  readonly executablePath?: string | undefined
  /**
   * More switches for Chromium, such as `--no-sandbox` in a container. Those that switch off the
   * web's own security are left out. Default: none.
   */
  readonly args?: readonly string[] | undefined
  /** No window on the screen. Default: `true`. */
  readonly headless?: boolean | undefined
  /**
   * Schemes with privileges, as an app gives them to `protocol.registerSchemesAsPrivileged`.
   * Default: `app`, standard and secure.
   */
  readonly schemes?: readonly CustomScheme[] | undefined
  /**
   * Serves every other host that a page asks for, such as `http://evil.test/`. `undefined` means that there is no
   * such host. Nothing reaches the network in either case. The hosts `localhost` and `127.0.0.1` are those of the
   * machine. Default: no other host exists.
   */
  readonly serve?: ((request: Request) => Response | Promise<Response> | undefined) | undefined
}

const BENCH_OPTIONS = {
  executablePath: 'string',
  args: 'list',
  headless: 'boolean',
  schemes: 'list',
  serve: 'function',
} as const satisfies OptionKinds<ElectronBenchOptions>

/** A window of the bench: anything that its `BrowserWindow` made. */
export type BenchWindow = Pick<InstanceType<PlayedElectron['BrowserWindow']>, 'isDestroyed'>

/** Electron's main process, played in this process of Node, with a real Chromium for its windows. */
export interface ElectronBench extends AsyncDisposable {
  /** The module that `import … from 'electron'` gives to a main process. Its app is ready. */
  readonly electron: PlayedElectron
  /** Playwright's page of a window. Needs `playwright-core`. */
  page(window: BenchWindow): Promise<Page>
  /** Crashes a window's process; resolves after `render-process-gone`. */
  crash(window: BenchWindow): Promise<void>
  /** Ends everything that was started. Safe to call twice. */
  close(): Promise<void>
}

const APP: CustomScheme = {
  scheme: 'app',
  privileges: { standard: true, secure: true, supportFetchAPI: true },
}

/**
 * Starts a bench: Electron's main process as objects to call, without an Electron binary.
 *
 * @throws {ElectronBenchError} if there is no Chromium, or it can't be started.
 * @throws {RpcConfigError} naming the option that is unknown or wrong.
 */
export async function launchElectronBench(
  options: ElectronBenchOptions = {},
): Promise<ElectronBench> {
  assertOptions('launchElectronBench', options, BENCH_OPTIONS)
  const { schemes = [APP], ...rest } = options
  const folder = createTemporaryFolder()
  const main = await startMainProcess({
    ...rest,
    schemes,
    profiles: folder.path,
    app: {
      name: 'bench',
      version: '0.0.0',
      path: process.cwd(),
      userData: join(folder.path, 'user-data'),
      arguments: [],
    },
    // The process is the test's own: it goes on.
    onExit: () => {},
  }).catch((error) => {
    folder.remove()
    throw error
  })
  PlayedApp.becomeReady(main.app)
  // On the bench an app goes on without windows, as the next test opens others.
  main.app.on('window-all-closed', () => {})

  let connecting: Promise<WindowPages> | undefined
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      await connecting?.then((pages) => pages.close()).catch(() => {})
      await main.close()
      folder.remove()
    })()
    return closing
  }
  return {
    electron: main.electron,
    page: async (window) => {
      const { id } = await main.targetOf(window)
      connecting ??= WindowPages.connect(main.endpoint)
      return (await connecting).page(id)
    },
    crash: (window) => main.crash(window),
    close,
    [Symbol.asyncDispose]: close,
  }
}
