import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium as playwright } from 'playwright-core'
import { checkClientFiles } from './check-client-files.ts'
import { checkOpenedFiles } from './check-opened-files.ts'
import { checkPackedFiles } from './check-packed-files.ts'
import { checkSourceMaps } from './check-source-maps.ts'
import { checkTarball } from './check-tarball.ts'
import { type Bundler, checkTreeShaking } from './check-tree-shaking.ts'
import { chromium } from './chromium.ts'
import { pack } from './pack.ts'

/**
 * Proves that the packages are publishable: packs each, installs them with plain npm in an empty
 * project, checks the installed files, and uses them there as a stranger would: in
 * Node 20 and 24, from the command line, in a browser bundle in a real Chromium, and from TypeScript under both module resolutions.
 */

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..')
const packages = ['core', 'react', 'electron', 'nats', 'redis', 'cli', 'create-flashrpc']
/** The libraries, with their entries that are for Node only: pages import all others. */
const NODE_ENTRIES = {
  '@flashrpc/core': ['./server', './lite/server', './cluster', './testing'],
  '@flashrpc/react': [],
  '@flashrpc/electron': ['./main', './utility', './loopback', './testing'],
  '@flashrpc/nats': ['.'],
  '@flashrpc/redis': ['.'],
} as const satisfies Readonly<Record<string, readonly string[]>>
type Library = keyof typeof NODE_ENTRIES
const libraries = Object.keys(NODE_ENTRIES) as Library[]
const modules = join(root, 'node_modules', '.bin')
const folder = mkdtempSync(join(tmpdir(), 'flashrpc-packages-'))

try {
  const tarballs = packages.map((name) => pack(name, folder))
  for (const [at, tarball] of tarballs.entries()) {
    checkTarball(tarball)
    checkPackedFiles(tarball, String(packages[at]))
  }
  for (const tarball of tarballs) lint(tarball)
  install(tarballs)
  checkFiles()
  await tryTreeShaking()
  tryInNode()
  await tryCommandLine()
  tryTypes()
  tryTraces()
  await tryInBrowser()
  await tryInElectron()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The consumer's server. */
interface Serve {
  serve(): Promise<{ page: string; url: string; close(): Promise<void> }>
}

function run(command: string, args: string[], cwd = folder): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', timeout: 300_000 })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`, {
      cause: error,
    })
  }
}

function lint(tarball: string): void {
  run(join(modules, 'publint'), ['run', tarball, '--strict'])
  const name = tarball.slice(folder.length + 1)
  // A program is run, and not imported: it has no types.
  const isProgram = /^(create-)?flashrpc-\d/.test(name)
  if (!isProgram) run(join(modules, 'attw'), [tarball, '--profile', 'esm-only'])
  console.log(`${name}: ${isProgram ? 'publint finds' : 'publint and attw find'} nothing`)
}

function install(tarballs: string[]): void {
  cpSync(join(here, 'package-consumer'), folder, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  const version = (name: string) => `${name}@${manifest.devDependencies[name]}`
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const others = ['zod', 'typescript', '@types/node', 'playwright-core'].map(version)
  const telemetry = ['@opentelemetry/api@~1.9.0', '@opentelemetry/sdk-trace-base@2']
  const react = ['react@19', 'react-dom@19', '@types/react@19', '@types/react-dom@19', 'esbuild']
  const query = version('@tanstack/react-query')
  // Its types; nothing of it is downloaded.
  const electron = 'electron@45'
  run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    ...tarballs,
    ...others,
    ...telemetry,
    ...react,
    query,
    electron,
  ])
}

function checkFiles(): void {
  for (const name of [...libraries, 'flashrpc', 'create-flashrpc']) {
    checkSourceMaps(join(folder, 'node_modules', name), name)
  }
  for (const name of libraries) checkOpenedFiles(folder, name)
  const react = '@flashrpc/react'
  checkClientFiles(join(folder, 'node_modules', react), react, pageEntriesOf(react).map(fileOf))
}

/** The modules that pages import of an installed library, such as `./tabs`. */
function pageEntriesOf(name: Library): string[] {
  const file = join(folder, 'node_modules', name, 'package.json')
  const { exports } = JSON.parse(readFileSync(file, 'utf8')) as { exports: object }
  const inNode: readonly string[] = NODE_ENTRIES[name]
  return Object.entries(exports)
    .filter(([path, { default: target }]) => target?.endsWith('.js') && !inNode.includes(path))
    .map(([path]) => path)
}

/** The file of an entry in `dist`. */
function fileOf(entry: string): string {
  return `${entry === '.' ? 'index' : entry.slice('./'.length)}.js`
}

function tryInNode(): void {
  for (const [command, ...args] of [
    ['npx', '--yes', 'node@20', 'node.js'],
    ['npx', '--yes', 'node@24', 'node.js'],
  ] as const) {
    const output = run(command, [...args])
    assert.match(output, /^v\d+\.\S+: 15, yes, traced: add confirm askMe\s*$/)
    console.log(`installed by npm, in Node ${output.trim()}`)
  }
}

/** Calls a server by the installed program, which answers in a process of its own. */
async function tryCommandLine(): Promise<void> {
  const flashrpc = async (...args: string[]) => {
    const options = { cwd: folder, timeout: 60_000 }
    return (await promisify(execFile)('npx', ['flashrpc', ...args], options)).stdout.trim()
  }
  const { version } = JSON.parse(
    readFileSync(join(root, 'packages', 'cli', 'package.json'), 'utf8'),
  ) as { version: string }
  assert.equal(await flashrpc('--version'), version)
  const { serve } = (await import(join(folder, 'serve.js'))) as Serve
  const server = await serve()
  try {
    assert.equal(await flashrpc('call', server.url, 'add', '{"a":5,"b":10}'), '15')
    console.log(`npx flashrpc ${version}: calls`)
  } finally {
    await server.close()
  }
}

function tryTypes(): void {
  const compiler = join(folder, 'node_modules', '.bin', 'tsc')
  for (const resolution of ['nodenext', 'bundler']) {
    const module = resolution === 'nodenext' ? 'nodenext' : 'esnext'
    const options = ['--moduleResolution', resolution, '--module', module, '--jsx', 'react-jsx']
    const strict = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2023,dom,esnext']
    run(compiler, [...options, ...strict, '--types', 'node', 'types.tsx'])
    console.log(`types: clean under ${resolution}, library declarations included`)
  }
}

/** The export condition `development` makes errors show who made a call; nothing else does. */
function tryTraces(): void {
  const bundler = join(folder, 'node_modules', '.bin', 'esbuild')
  const development = '--conditions=development'
  assert.equal(run(process.execPath, ['traced.js']).trim(), 'hidden')
  assert.equal(run(process.execPath, [development, 'traced.js']).trim(), 'shown')
  // What is CommonJS in the bundle requires what is Node's.
  const required =
    'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
  const esm = ['--format=esm', '--platform=node', `--banner:js=${required}`]
  for (const [told, conditions] of [
    ['hidden', ['--minify']],
    ['shown', [development]],
  ] as const) {
    const out = `traced.${told}.js`
    run(bundler, ['traced.js', '--bundle', ...esm, ...conditions, `--outfile=${out}`])
    assert.equal(run(process.execPath, [out]).trim(), told)
  }
  console.log('errors show who made a call with the condition development, and only with it')
}

/** Bundles each export that pages import. */
async function tryTreeShaking(): Promise<void> {
  const modules = join(folder, 'node_modules')
  const bundler = (await import(join(modules, 'esbuild/lib/main.js'))) as Bundler
  const entries = libraries.flatMap((name) => {
    return pageEntriesOf(name).map(async (path) => {
      const exports = Object.keys(await import(join(modules, name, 'dist', fileOf(path))))
      return { name: name + path.slice(1), exports }
    })
  })
  await checkTreeShaking(folder, bundler, await Promise.all(entries))
}

/** Bundles a page as an application would, and lets it call a server that runs on the packages. */
async function tryInBrowser(): Promise<void> {
  const bundler = join(folder, 'node_modules', '.bin', 'esbuild')
  run(bundler, ['page.jsx', '--bundle', '--format=esm', '--jsx=automatic', '--outfile=page.out.js'])
  const bundle = readFileSync(join(folder, 'page.out.js'), 'utf8')
  for (const foreign of [/["']node:/, /perMessageDeflate/, /openrpc/, /flashrpc devtools/]) {
    assert.doesNotMatch(bundle, foreign, 'the browser bundle has something that it did not ask for')
  }
  const { serve } = (await import(join(folder, 'serve.js'))) as Serve
  const server = await serve()
  const browser = await playwright.launch(await chromium())
  try {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(server.page)
    await page.getByText('connected: 15, asked: yes').waitFor({ timeout: 30_000 })
    assert.deepEqual(errors, [])
    console.log('bundled for the browser: a page in Chromium calls and is called')
  } finally {
    await browser.close()
    await server.close()
  }
}

/**
 * Bundles a preload and a page as an application would, and lets main and the page call each other on
 * the bench, from the installed packages.
 */
async function tryInElectron(): Promise<void> {
  const bundler = join(folder, 'node_modules', '.bin', 'esbuild')
  const cjs = ['--bundle', '--format=cjs', '--platform=node', '--external:electron']
  run(bundler, ['preload.js', ...cjs, '--outfile=preload.out.cjs'])
  run(bundler, ['window.js', '--bundle', '--format=esm', '--outfile=window.out.js'])
  const preload = readFileSync(join(folder, 'preload.out.cjs'), 'utf8')
  const required = [...preload.matchAll(/require\("(.*?)"\)/g)].map(([, name]) => name)
  assert.deepEqual(required, ['electron'], 'the bundled preload needs more than Electron')
  const launch = JSON.stringify(await chromium())
  const output = run(process.execPath, ['desktop.js', launch])
  assert.equal(output.trim(), 'main: 15, page: yes')
  console.log('bundled for Electron: main and a page call each other on the bench')
}
