import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run, runInTerminal } from './program.js'

const templates = fileURLToPath(new URL('../templates', import.meta.url))
const names = readdirSync(templates).sort()

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'create-flashrpc-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The files of a folder, by their paths in it. */
function filesIn(...path: string[]): Map<string, string> {
  const root = join(...path)
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'))
  return new Map(files.map((file) => [file.slice(root.length + 1), readFileSync(file, 'utf8')]))
}

function manifestOf(...path: string[]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(...path, 'package.json'), 'utf8'))
}

test.each(names)('creates an app from the template %s', async (template) => {
  const { code, stdout, stderr } = await run(folder, ['shop', '--template', template])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('  cd shop\n  npm install\n  npm run dev\n')
  expect(manifestOf(folder, 'shop')).toEqual({ ...manifestOf(templates, template), name: 'shop' })
  const created = filesIn(folder, 'shop')
  const expected = filesIn(templates, template)
  expected.set('.gitignore', String(expected.get('_gitignore')))
  for (const files of [created, expected]) {
    files.delete('_gitignore')
    files.delete('package.json')
  }
  expect(created).toEqual(expected)
})

test.each(names)('the template %s has the scripts that its next steps name', (template) => {
  const { scripts } = manifestOf(templates, template)
  expect(scripts).toMatchObject({
    dev: expect.any(String),
    build: expect.any(String),
    start: expect.any(String),
    test: expect.any(String),
    types: expect.any(String),
  })
})

test('its help names each template', async () => {
  const { code, stdout } = await run(folder, ['--help'])
  expect(code).toBe(0)
  const listed = stdout.slice(stdout.indexOf('Templates:')).matchAll(/^ {2}(\S+) {2,}\S/gm)
  expect([...listed].map(([, name]) => name).sort()).toEqual(names)
})

test('prints its version', async () => {
  const { version } = manifestOf(templates, '..')
  expect(await run(folder, ['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('names the package after the folder, as npm wants it', async () => {
  await run(folder, ['My First App!', '-t', 'node'])
  expect(manifestOf(folder, 'My First App!').name).toBe('my-first-app')
})

test('tells a folder with spaces in quotes, and the package manager that runs it', async () => {
  const env = { npm_config_user_agent: 'pnpm/12.0.0 npm/? node/v20.19.0 linux x64' }
  const { stdout } = await run(folder, ['my app', '-t', 'node'], env)
  expect(stdout).toContain('  cd "my app"\n  pnpm install\n  pnpm run dev\n')
})

test('creates an app in the current folder, beside a .git', async () => {
  mkdirSync(join(folder, '.git'))
  const { code, stdout } = await run(folder, ['.', '-t', 'node'])
  expect(code).toBe(0)
  expect(stdout).toContain('in this folder')
  expect(stdout).not.toContain('cd ')
  expect(readdirSync(folder)).toContain('package.json')
})

test('names the templates if there is none of a name', async () => {
  const { code, stderr } = await run(folder, ['shop', '--template', 'vue'])
  expect(code).toBe(2)
  const [, listed = ''] =
    /^There is no template "vue". The templates are (.*)\.\n$/.exec(stderr) ?? []
  expect(listed.split(', ').sort()).toEqual(names)
})

test('refuses a folder that is not empty, and leaves it as it is', async () => {
  mkdirSync(join(folder, 'shop'))
  writeFileSync(join(folder, 'shop', 'notes.txt'), 'mine')
  const { code, stderr } = await run(folder, ['shop', '--template', 'node'])
  expect(code).toBe(2)
  expect(stderr).toBe(
    'The folder shop is not empty: it has notes.txt. Name another folder, or empty this one first.\n',
  )
  expect(filesIn(folder, 'shop')).toEqual(new Map([['notes.txt', 'mine']]))
})

test('refuses a file', async () => {
  writeFileSync(join(folder, 'shop'), '')
  const { code, stderr } = await run(folder, ['shop', '--template', 'node'])
  expect(code).toBe(2)
  expect(stderr).toBe('shop is a file, not a folder. Name another folder.\n')
})

test.each([
  [['shop', '--tmplate', 'node'], /^Unknown option '--tmplate'. The options are --template NAME/],
  [['my', 'shop'], /^An app has one folder; these are 2: my, shop\. Put quotes/],
  [['shop'], /^The folder and the template are required where there is no terminal/],
  [['--template', 'node'], /^The folder and the template are required where there is no terminal/],
])('says what is wrong with %j', async (args, message) => {
  const { code, stdout, stderr } = await run(folder, args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  [['shop', 'node'], { npm_config_template: 'true' }],
  [['shop'], { npm_config_template: 'node' }],
  [['shop', 'node'], { npm_config_t: 'true' }],
])('says so if npm took the template, and left %j', async (args, env) => {
  expect(await run(folder, args, env)).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'npm kept --template for itself. Write -- before it: npm create flashrpc@latest shop -- --template node\n',
  })
  expect(readdirSync(folder)).toEqual([])
})

// Elsewhere `script` has other arguments, or does not exist.
const inTerminal = test.runIf(process.platform === 'linux')

inTerminal('asks for a folder and a template in a terminal', async () => {
  const { code, stdout } = await runInTerminal(
    folder,
    [],
    [
      ['In which folder?', 'shop\r'],
      // One down.
      ['Which template?', '\u001b[B\r'],
    ],
  )
  expect(code).toBe(0)
  expect(stdout).toContain('cd shop')
  expect(manifestOf(folder, 'shop').dependencies).toHaveProperty('@flashrpc/react')
})

inTerminal('asks again for a folder that is not empty', async () => {
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  const { code } = await runInTerminal(
    folder,
    ['--template', 'node'],
    [
      ['In which folder?', '.\r'],
      ['The folder . is not empty: it has notes.txt', '/shop\r'],
    ],
  )
  expect(code).toBe(0)
  expect(manifestOf(folder, 'shop').name).toBe('shop')
})

inTerminal('creates nothing if a question is not answered', async () => {
  const { code } = await runInTerminal(folder, ['shop'], [['Which template?', '\u0003']])
  expect(code).toBe(130)
  expect(readdirSync(folder)).toEqual([])
})
