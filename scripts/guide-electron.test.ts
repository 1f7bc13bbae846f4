import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@flashrpc/core'
import { type ElectronApp, launchElectronApp } from '@flashrpc/electron/testing'
import type { Page } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import { startProgram } from '../apps/demo/test/support/program.ts'
import { chromium } from './chromium.ts'
import { GuidePage, SOURCE } from './guide-page.ts'
import { packApp } from './packed-app.ts'

/**
 * The apps that docs/guide/electron*.md show, compiled and started on the bench as a reader would start them; and the tests
 * that docs/guide/electron-testing.md shows, of the app in guide-notes-app/.
 */

const FIRST_CALL = ['contract.ts', 'serve-page.ts', 'preload.ts'] as const

/** Opens the quick start of Electron and more pages, and makes the app's preload by the command that the quick start gives. */
function open(pages: readonly string[], ...files: string[]): GuidePage {
  const guide = new GuidePage(['electron', ...pages].map((page) => `docs/guide/${page}.md`))
  for (const name of [...FIRST_CALL, ...files]) guide.write(name)
  runEsbuild(guide)
  return guide
}

/** Runs the commands that the page gives. */
function runEsbuild(guide: GuidePage): void {
  for (const command of guide.commandsOf('npx esbuild')) guide.esbuild(...command.split(' '))
}

/** Compiles main, and a page's script, to where the samples expect them. */
function build(guide: GuidePage, main: string, page: string): void {
  compileForMain(guide, main, 'main.js')
  buildPage(guide, page)
}

function buildPage(guide: GuidePage, page: string): void {
  guide.esbuild(page, '--bundle', '--format=esm', '--jsx=automatic', '--outfile=dist/web/page.js')
  const html = '<!doctype html><body></body><script type="module" src="/page.js"></script>'
  writeFileSync(join(guide.folder, 'dist/web/index.html'), html)
}

function compileForMain(guide: GuidePage, file: string, to: string): void {
  const format = ['--platform=node', '--format=esm', '--packages=external']
  guide.esbuild(file, '--bundle', ...format, `--outfile=dist/${to}`)
}

function compilePreload(guide: GuidePage, name: string): void {
  const format = ['--platform=node', '--format=cjs', '--external:electron']
  guide.esbuild(`${name}.ts`, '--bundle', ...format, `--outfile=dist/${name}.cjs`)
}

/** Writes what the reader adds to the samples. */
function write(guide: GuidePage, file: string, code: string): void {
  writeFileSync(join(guide.folder, file), code)
}

function start(guide: GuidePage, env: NodeJS.ProcessEnv = {}): Promise<ElectronApp> {
  return launch(join(guide.folder, 'dist/main.js'), guide.folder, env)
}

async function launch(
  main: string,
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<ElectronApp> {
  const { executablePath, args: chromiumArgs } = await chromium()
  return launchElectronApp({
    main,
    cwd,
    env: { ...process.env, ...env },
    executablePath,
    chromiumArgs,
  })
}

const WAIT = { timeout: 20_000, interval: 50 }

async function prints(app: ElectronApp, pattern: RegExp): Promise<void> {
  await vi.waitFor(() => expect(app.output()).toMatch(pattern), WAIT)
}

async function pagePrints(page: Page, pattern: RegExp): Promise<void> {
  await vi.waitFor(async () => {
    const messages = await page.consoleMessages()
    expect(messages.map((message) => message.text())).toContainEqual(expect.stringMatching(pattern))
  }, WAIT)
}

/** A main file that opens a window, with hosts and more that other modules of the page have. */
const main = (imports: string, opened: string) => `${imports}
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow, protocol } from 'electron'
import { ORIGIN, servePage } from './serve-page.ts'

protocol.registerSchemesAsPrivileged([
  { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
])
app.on('window-all-closed', () => app.quit())
void app.whenReady().then(async () => {
  protocol.handle('app', servePage)
  const window = new BrowserWindow({
    webPreferences: { preload: join(import.meta.dirname, 'preload.cjs') },
  })
  await window.loadURL(\`\${ORIGIN}/\`)
  ${opened}
})`

test.concurrent('the first call, both ways', async () => {
  await using guide = open([], 'main.ts', 'page.tsx')
  write(
    guide,
    'entry.tsx',
    `import { createRoot } from 'react-dom/client'
import { App } from './page.tsx'
window.begin = () => createRoot(document.body).render(<App />)`,
  )
  build(guide, 'main.ts', 'entry.tsx')
  await using app = await start(guide)
  const page = await app.firstWindow()
  const asked: string[] = []
  page.on('dialog', (dialog) => {
    asked.push(dialog.message())
    void dialog.accept()
  })
  // The window is told when it opens, before its page has run.
  await page.waitForFunction('window.begin')
  // Before there is a listener, a dialog would block the page.
  await page.evaluate('begin()')
  await prints(app, /^yes$/m)
  await page.getByRole('button', { name: '5 + 10' }).click()
  await vi.waitFor(() => expect(asked).toEqual(['Does it work?', '15']), WAIT)
})

test.concurrent('the same preload by Vite', async () => {
  await using guide = open([], 'vite.preload.config.js')
  const made = readFileSync(join(guide.folder, 'dist/preload.cjs'), 'utf8')
  execFileSync(
    join(guide.folder, 'node_modules/.bin/vite'),
    ['build', '-c', 'vite.preload.config.js', '--logLevel', 'warn'],
    { cwd: guide.folder, env: { ...process.env, NODE_ENV: undefined } },
  )
  const byVite = readFileSync(join(guide.folder, 'dist/preload.cjs'), 'utf8')
  expect(byVite).not.toBe(made)
  for (const code of [made, byVite]) {
    expect([...code.matchAll(/require\(["'`](.*?)["'`]\)/g)].map(([, name]) => name)).toEqual([
      'electron',
    ])
  }
})

test.concurrent('windows are asked, each page has its role, and the app quits', async () => {
  await using guide = open(
    ['electron-windows', 'electron-security', 'electron-from-ipc'],
    'roles.ts',
    'quit.ts',
    'security.ts',
    'windows.ts',
    'plain-page.ts',
    'errors.ts',
  )
  write(
    guide,
    'main.ts',
    main(
      `import './security.ts'
import './quit.ts'
import { host } from './roles.ts'
import { askToQuit, tellAndAsk, watch } from './windows.ts'
watch(host)`,
      `await host.whenConnected(window)
  await tellAndAsk(host)
  console.log('quit', await askToQuit(host, window))`,
    ),
  )
  write(
    guide,
    'entry.ts',
    `import './plain-page.ts'
import { createClient } from '@flashrpc/core'
import { electronTransport } from '@flashrpc/electron/renderer'
import { contract } from './contract.ts'
import { add } from './errors.ts'
history.replaceState(undefined, '', '/settings')
const methods = { confirm: () => 'yes', notify() {} }
window.more = () => add(createClient(contract, { transport: electronTransport(), methods }), new AbortController().signal)`,
  )
  build(guide, 'main.ts', 'entry.ts')
  await using app = await start(guide)
  const page = await app.firstWindow()
  await Promise.all([pagePrints(page, /^15$/), pagePrints(page, /^Saved$/)])
  await prints(app, /^here [0-9a-f]{32} app:\/\/notes\/$/m)
  await prints(app, /^1 windows were told\napp:\/\/notes\/(settings)? yes\nquit true$/m)
  // A second client, of the page of settings, may not add. It takes the place of the first.
  const refused = pagePrints(page, /^-32002 Not allowed to call "add"/)
  expect(await page.evaluate('window.more()')).toBeUndefined()
  await refused
  await prints(app, /^gone 4409/m)
  // Navigation elsewhere and new windows are prevented.
  await app.evaluate(({ BrowserWindow }) => {
    const [contents] = BrowserWindow.getAllWindows().map(({ webContents }) => webContents)
    contents?.on('will-navigate', ({ url, defaultPrevented }) => console.log(url, defaultPrevented))
  })
  await page.evaluate('open("http://evil.test/"); location.href = "http://evil.test/away"')
  await prints(app, /^http:\/\/evil.test\/away true$/m)
  expect(app.windows()).toEqual([page])
  const closed = app.waitForEvent('close')
  await app.evaluate(({ app }) => app.quit())
  await closed
  expect(app.process().exitCode).toBe(0)
  expect(app.output()).toMatch(/^gone 1001/m)
})

test.concurrent('the app with ipcMain and ipcRenderer, before it comes to flashrpc', async () => {
  await using guide = open(
    ['electron-from-ipc'],
    'before-main.ts',
    'before-preload.ts',
    'before-page.ts',
  )
  compilePreload(guide, 'before-preload')
  build(guide, 'before-main.ts', 'before-page.ts')
  await using app = await start(guide)
  const page = await app.firstWindow()
  await Promise.all([pagePrints(page, /^15$/), pagePrints(page, /^Saved$/)])
})

test.concurrent.each([
  ['before-main.cjs', 'before-page.ts'],
  ['main.js', 'page.ts'],
])('coming from electron-trpc: %s and its page print what the page says', async (main, script) => {
  await using guide = new GuidePage('docs/guide/from-electron-trpc.md')
  for (const name of guide.blocks.keys()) guide.write(name)
  runEsbuild(guide)
  compilePreload(guide, 'preload')
  build(guide, 'main.ts', script)
  await using app = await launch(join(guide.folder, 'dist', main), guide.folder)
  const page = await app.firstWindow()
  const lines = guide.text('text').trim().split('\n')
  const printed = (expected: readonly string[]) =>
    vi.waitFor(async () => {
      const messages = await page.consoleMessages()
      expect(messages.map((message) => message.text())).toEqual(expected)
    }, WAIT)
  await printed(lines.slice(0, -1))
  await app.evaluate(({ nativeTheme }) => {
    nativeTheme.themeSource = 'dark'
  })
  await printed(lines)
})

test.concurrent('an app that was packed runs from what is in its archive alone', async () => {
  await using guide = new GuidePage('docs/guide/electron-packaging.md')
  for (const name of guide.blocks.keys()) guide.write(name)
  runEsbuild(guide)
  buildPage(guide, 'plain-page.ts')
  writeFileSync(
    join(guide.folder, 'package.json'),
    JSON.stringify({ name: 'notes', type: 'module', main: 'dist/main.js' }),
  )
  using packed = await packApp(guide.folder, ['package.json', 'dist'])
  const files = ['main.js', 'preload.cjs', 'web', 'web/index.html', 'web/page.js']
  expect(packed.files.toSorted()).toEqual([
    'dist',
    ...files.map((name) => `dist/${name}`),
    'package.json',
  ])
  for (const name of ['dist/main.js', 'dist/preload.cjs']) {
    const code = readFileSync(join(packed.folder, name), 'utf8')
    expect(code.length).toBeGreaterThan(100)
    const modules = [
      ...code.matchAll(/(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*["']([^"']+)["']/g),
    ]
    const foreign = modules.map(([, module = '']) => module).filter((module) => !isBuiltin(module))
    expect(new Set(foreign)).toEqual(new Set(['electron']))
  }
  await using app = await launch(packed.folder, packed.folder)
  const page = await app.firstWindow()
  await Promise.all([pagePrints(page, /^15$/), prints(app, /^yes$/m)])
})

test.concurrent('windows and browser tabs at once', async () => {
  await using guide = open(['electron-tabs'], 'handlers.ts', 'plain-page.ts', 'register-preload.ts')
  guide.write('serve-both.ts', {
    "await tabs.listen({ port: 8000, path: '/ws' })":
      "console.log((await tabs.listen({ port: 0, path: '/ws' })).url)",
  })
  // The preload is the package's own, for every window.
  const code = main(
    "import './register-preload.ts'\nimport { everyone } from './serve-both.ts'",
    '',
  )
    .replace("preload: join(import.meta.dirname, 'preload.cjs')", '')
    .concat("\nglobalThis.tell = () => everyone.notify('notify', { text: 'to all of them' })")
  write(guide, 'main.ts', code)
  build(guide, 'main.ts', 'plain-page.ts')
  await using app = await start(guide)
  const page = await app.firstWindow()
  await Promise.all([pagePrints(page, /^A window adds$/), pagePrints(page, /^15$/)])
  const [url = ''] = /ws:\S+/.exec(app.output()) ?? []
  const heard: string[] = []
  await using tab = createClient<
    { add(params: { a: number; b: number }): number },
    { notify(params: { text: string }): void }
  >({ url, methods: { notify: ({ text }) => void heard.push(text) } })
  expect(await tab.other.add({ a: 1, b: 2 })).toBe(3)
  const told = pagePrints(page, /^to all of them$/)
  expect(await app.evaluate(() => (globalThis as unknown as { tell(): number }).tell())).toBe(2)
  await told
  await vi.waitFor(() => expect(heard).toEqual(['A tab adds', 'to all of them']), WAIT)
})

test.concurrent('a utility process, and a program by the loopback', async () => {
  await using guide = open(
    ['electron-utility', 'electron-loopback'],
    'db.ts',
    'db-process.ts',
    'db-page.ts',
    'loopback.ts',
    'notes-tool.ts',
  )
  write(
    guide,
    'main.ts',
    main(
      "import { startDatabase } from './db.ts'\nimport './loopback.ts'",
      `const db = startDatabase([window])
  // Main says nothing of itself.
  console.log('main adds', await db.other.add({ a: 5, b: 10 }))`,
    ),
  )
  write(
    guide,
    'entry.ts',
    "import { db } from './db-page.ts'\ndb.other.add({ a: 5, b: 10 }).then((sum) => console.log('page adds', sum))",
  )
  compileForMain(guide, 'db-process.ts', 'db-process.js')
  build(guide, 'main.ts', 'entry.ts')
  // The program that the sample starts, as an installed one is found.
  const bin = join(guide.folder, 'bin')
  const printed = join(guide.folder, 'printed')
  mkdirSync(bin)
  const tool = `#!/bin/sh\ncd '${guide.folder}'\nexec '${process.execPath}' --import tsx --conditions ${SOURCE} notes-tool.ts >'${printed}' 2>&1\n`
  writeFileSync(join(bin, 'notes-tool'), tool)
  chmodSync(join(bin, 'notes-tool'), 0o755)
  await using app = await start(guide, { PATH: `${bin}:${process.env.PATH}` })
  const page = await app.firstWindow()
  await Promise.all([pagePrints(page, /^page adds 15$/), prints(app, /^main adds 0$/m)])
  const text = () => (existsSync(printed) ? readFileSync(printed, 'utf8') : '')
  await vi.waitFor(() => expect(text()).toMatch(/\n$/), WAIT)
  expect(text()).toBe('15\n')
})

test.concurrent('the tests of an app, of its preload and of a part of its main', async () => {
  await using guide = new GuidePage('docs/guide/electron-testing.md')
  cpSync(fileURLToPath(new URL('guide-notes-app', import.meta.url)), join(guide.folder, 'dist'), {
    recursive: true,
  })
  mkdirSync(join(guide.folder, 'src'))
  for (const name of ['app.test.ts', 'notes.ts', 'notes.test.ts', 'src/preload.cjs']) {
    guide.write(name)
  }
  const conditions = JSON.stringify([SOURCE, 'node', 'import', 'default'])
  write(
    guide,
    'vitest.config.js',
    `const resolve = { conditions: ${conditions} }
export default { resolve, ssr: { resolve } }`,
  )
  const { executablePath: CHROME_PATH } = await chromium()
  const vitest = join(guide.folder, 'node_modules/vitest/vitest.mjs')
  const program = startProgram(vitest, ['run', '--testTimeout=30000'], guide.folder, {
    CHROME_PATH,
  })
  await using _program = program
  const code = await program.ended
  expect(program.output()).toMatch(/Tests +6 passed/)
  expect(code).toBe(0)
})
