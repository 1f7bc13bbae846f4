import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import type { ViteUserConfig } from 'vitest/config'
import { createViteServer } from 'vitest/node'
import { chromium } from './chromium.ts'
import { GuidePage, SOURCE } from './guide-page.ts'

type ViteServer = Awaited<ReturnType<typeof createViteServer>>
type Plugins = ViteUserConfig['plugins']

/** What the packages import, found ahead: one found while a page runs would reload it. */
const DEPENDENCIES = [
  'zod',
  'comlink',
  'react',
  'react-dom',
  'react-dom/client',
  'react/jsx-runtime',
  'react/jsx-dev-runtime',
  '@tanstack/react-query',
  '@flashrpc/react > zustand',
  '@flashrpc/react > zustand/shallow',
  '@flashrpc/react > zustand/vanilla',
]

/** Pages of the guide in a browser: one Vite serves the files of all, and one Chromium shows them. */
export class GuideSite implements AsyncDisposable {
  /** The origin of the pages, such as `http://127.0.0.1:5173`. */
  readonly origin: string
  readonly browser: Browser
  readonly #folder: string
  readonly #vite: ViteServer
  readonly #guides: GuidePage[] = []
  #pages = 0

  private constructor(folder: string, vite: ViteServer, browser: Browser) {
    this.#folder = folder
    this.#vite = vite
    this.origin = vite.resolvedUrls?.local[0]?.replace(/\/$/, '') ?? ''
    this.browser = browser
  }

  /**
   * @param plugins of Vite, for pages that are not written with React.
   * @param dependencies that the pages import besides.
   */
  static async open(
    plugins: Plugins = [],
    dependencies: readonly string[] = [],
  ): Promise<GuideSite> {
    const folder = mkdtempSync(join(tmpdir(), 'flashrpc-site-'))
    const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
    symlinkSync(modules, join(folder, 'node_modules'), 'junction')
    const vite = await createViteServer({
      configFile: false,
      root: folder,
      cacheDir: join(folder, '.vite'),
      logLevel: 'warn',
      resolve: { conditions: [SOURCE, 'browser', 'module', 'import', 'default'] },
      plugins,
      optimizeDeps: { include: [...DEPENDENCIES, ...dependencies] },
      server: { host: '127.0.0.1', port: 0, fs: { strict: false }, watch: null },
    })
    const [browser] = await Promise.all([
      chromium().then((launch) => playwright.launch({ ...launch, headless: true })),
      vite.listen(),
    ])
    return new GuideSite(folder, vite, browser)
  }

  /** Opens a page of the guide, whose files are served. */
  guide(name: string, modules: readonly string[] = []): GuidePage {
    const guide = new GuidePage(`docs/guide/${name}.md`, this.#folder)
    for (const module of modules) guide.write(module)
    this.#guides.push(guide)
    return guide
  }

  /**
   * Opens a page in the browser.
   *
   * @param script the file that the page runs.
   * @param body what the page has besides.
   */
  async show(guide: GuidePage, script: string, body = '', page?: Page): Promise<Page> {
    const file = `page-${++this.#pages}.html`
    writeFileSync(
      join(guide.folder, file),
      `${body}<script type="module" src="./${script}"></script>`,
    )
    return this.visit(guide, file, page)
  }

  /** Opens an HTML file of a guide in the browser. */
  async visit(guide: GuidePage, file: string, page?: Page): Promise<Page> {
    const shown = page ?? (await this.browser.newPage())
    shown.setDefaultTimeout(20_000)
    // Shown of a test that fails.
    shown.on('console', (message) => console.log(message.text()))
    shown.on('pageerror', (error) => console.log(error))
    await shown.goto(`${this.origin}/${relative(this.#folder, join(guide.folder, file))}`)
    return shown
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#guides.map((guide) => guide[Symbol.asyncDispose]()))
    await Promise.all([this.browser.close(), this.#vite.close()])
    rmSync(this.#folder, { recursive: true })
  }
}
