import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium as playwright } from 'playwright-core'
import { chromium } from './chromium.ts'
import { serveRegistry } from './local-registry.ts'
import { pack } from './pack.ts'
import { CreatedApp } from './templates/created-app.ts'
import { driveAgents } from './templates/drive-agents.ts'
import { driveElectronVite } from './templates/drive-electron-vite.ts'
import { driveNext } from './templates/drive-next.ts'
import { driveNode } from './templates/drive-node.ts'
import { driveReactVite } from './templates/drive-react-vite.ts'
import { Terminal } from './terminal.ts'

/**
 * Creates an app from each template, as a newcomer would: `npm create flashrpc@latest`, `npm install`, and the scripts of its
 * package.json. npm gets our packages, as built here, from a registry of this process, and all others from its own. Each app is
 * type-checked, tested, built, started and used.
 *
 * Its arguments name the templates; without any, all are checked.
 */

type Drive = (app: CreatedApp, browser: Browser) => Promise<void>

/** How each template is started and used. */
const DRIVES: Readonly<Record<string, Drive>> = {
  node: driveNode,
  'react-vite': driveReactVite,
  next: driveNext,
  'electron-vite': driveElectronVite,
  agents: driveAgents,
}

const templates = fileURLToPath(new URL('../packages/create-flashrpc/templates', import.meta.url))
assert.deepEqual(
  Object.keys(DRIVES).sort(),
  readdirSync(templates).sort(),
  'A template is not checked',
)
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(DRIVES)
for (const name of wanted) assert(name in DRIVES, `There is no template "${name}"`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const folder = mkdtempSync(join(tmpdir(), 'flashrpc-templates-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const begin = performance.now()
const packages = ['core', 'react', 'electron', 'create-flashrpc']
const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
await using registry = await serveRegistry(
  packages.map((name) => pack(name, folder)),
  upstream,
)
const launch = await chromium()
const browser = await playwright.launch(launch)
const apps: (readonly [template: string, app: CreatedApp])[] = []
for (const name of wanted) apps.push([name, await create(name)])
try {
  // Two at a time: for the most part, npm waits for the network, and compilers for one processor.
  await Promise.all([checkNext(), checkNext()])
} finally {
  await browser.close()
}

async function checkNext(): Promise<void> {
  for (let next = apps.shift(); next; next = apps.shift()) await check(...next)
}

async function check(template: string, app: CreatedApp): Promise<void> {
  const say = (what: string) => {
    console.log(`${template}, ${Math.round((performance.now() - begin) / 1_000)} s: ${what}`)
  }
  writeFileSync(join(app.folder, '.npmrc'), `@flashrpc:registry=${registry.url}\naudit=false\n`)
  await app.run('npm install')
  say('installed by npm')
  await app.run('npm run types')
  // They are patient: this machine may be busy with the other template. Those of `electron-vite` start a Chromium.
  const patience = '--testTimeout=60000 --expect.poll.timeout=30000'
  const tests = await app.run(`CHROME_PATH=${launch.executablePath} npm test -- ${patience}`)
  const [, passed] = /Tests +(\d+ passed) \(\d+\)/.exec(tests) ?? []
  assert(passed, `The test of ${template} says:\n${tests}`)
  await app.run('npm run build')
  say(`type-checked, ${passed}, built`)
  await DRIVES[template]?.(app, browser)
  assertUnchanged(template, app)
  const ignored = readFileSync(join(app.folder, '.gitignore'), 'utf8').trim().split('\n')
  const known = [...readdirSync(join(templates, template)), '.gitignore', ...ignored]
  const npms = ['.npmrc', 'package-lock.json']
  const left = app.files().filter((name) => ![...known, ...npms].includes(name))
  assert.deepEqual(left, [], `${template} leaves files behind that its .gitignore does not name`)
  say('started, used, and ended')
}

/** Tools such as Next change what they find wanting, which a newcomer would see as a change of their own. */
function assertUnchanged(template: string, app: CreatedApp): void {
  const root = join(templates, template)
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name))
  const names = paths.map((path) => relative(root, path))
  for (const name of names.filter((name) => !['_gitignore', 'package.json'].includes(name))) {
    const [ours, theirs] = [root, app.folder].map((at) => readFileSync(join(at, name), 'utf8'))
    assert.equal(theirs, ours, `${template}: ${name} is not as it was created`)
  }
}

async function create(template: string): Promise<CreatedApp> {
  // A cache of its own: the next build has the same version. And npm says itself who runs, not what runs this program.
  const npm = `unset npm_config_user_agent; npm_config_registry=${registry.url} npm_config_cache=${join(folder, 'cache')} npm`
  const name = `app-${template}`
  const terminal = new Terminal(
    `${npm} create --yes flashrpc@latest ${name} -- --template ${template}`,
    folder,
  )
  await terminal.succeeds()
  assert.match(terminal.output, new RegExp(`cd ${name}\\n +npm install\\n +npm run dev`))
  return new CreatedApp(join(folder, name))
}
