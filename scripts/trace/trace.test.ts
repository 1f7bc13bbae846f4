import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { excesses } from './budgets.ts'
import type { CoveredScript } from './coverage.ts'
import { markdownOf, textOf } from './report.ts'
import { type SourceFunction, sourceFunctions } from './source-functions.ts'
import type { Walk } from './walks.ts'

let folder: string

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'flashrpc-trace-')))
  await mkdir(join(folder, 'src'))
})

afterEach(() => rm(folder, { recursive: true }))

const SHARED = `
export class Counter {
  #count = 0
  #step
  constructor(step) { this.#step = step }
  get count() { return this.#count }
  async add(n) { this.#count += this.#step * twice(n) }
  unused() { return twice(0) }
}
export function twice(n) { return [n, n].reduce((sum, one) => sum + one, 0) }
export function send() { return 'shared' }
`
const FIRST = `
import { Counter, send as sendShared, twice } from './shared.js'
export function warmUp() { once(); return twice(0) }
function once() {}
const send = () => sendShared()
export function run() {
  const counter = new Counter(1)
  for (let n = 0; n < 3; n++) counter.add(n)
  send()
  return counter.count
}
/** A loader of TypeScript's adds to what has this. */
export async function later() { return import('./later.js') }
export function afterLater() { return 1 }
`
const SECOND = `
import { twice } from './shared.js'
export const runToo = () => twice(2)
`

/** What `run`, `runToo` and `afterLater` call after `warmUp`, whatever was made of the files. */
const EXPECTED = (extension: string): SourceFunction[] => [
  { file: `first.${extension}`, name: 'send', calls: 1 },
  { file: `first.${extension}`, name: 'run', calls: 1 },
  { file: `first.${extension}`, name: 'afterLater', calls: 1 },
  { file: `second.${extension}`, name: 'runToo', calls: 1 },
  // What gives fields their values is a function of its own.
  { file: `shared.${extension}`, name: '<instance_members_initializer>', calls: 1 },
  { file: `shared.${extension}`, name: 'Counter', calls: 1 },
  { file: `shared.${extension}`, name: 'get count', calls: 1 },
  { file: `shared.${extension}`, name: 'add', calls: 3 },
  { file: `shared.${extension}`, name: 'twice', calls: 4 },
  { file: `shared.${extension}`, name: '(anonymous)', calls: 8 },
  { file: `shared.${extension}`, name: 'send', calls: 1 },
]

async function writeSources(extension: string): Promise<void> {
  const sources = { shared: SHARED, first: FIRST, second: SECOND, later: '' }
  for (const [name, text] of Object.entries(sources)) {
    // So that a place in a script is none in its source.
    const shifted = extension === 'ts' ? `interface Left { out: true }\n${text}` : text
    await writeFile(join(folder, 'src', `${name}.${extension}`), shifted)
  }
}

/** Runs these modules in a process, through the loader that walks have, and counts those in a folder. */
async function cover(covered: string, first: string, second: string): Promise<CoveredScript[]> {
  await writeFile(
    join(folder, 'program.mts'),
    `import { Coverage } from ${JSON.stringify(join(import.meta.dirname, 'coverage.ts'))}
    import { afterLater, run, warmUp } from ${JSON.stringify(join(folder, first))}
    import { runToo } from ${JSON.stringify(join(folder, second))}
    const coverage = new Coverage(${JSON.stringify(join(folder, covered))})
    warmUp()
    coverage.start()
    run()
    runToo()
    afterLater()
    console.log(JSON.stringify(coverage.stop()))`,
  )
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(folder, 'program.mts')],
    { cwd: folder },
  )
  return JSON.parse(stdout)
}

/** Bundles entries of `src` into `dist`, with source maps. */
async function bundle(...entries: string[]): Promise<void> {
  await build({
    configFile: false,
    root: folder,
    logLevel: 'silent',
    build: {
      outDir: 'dist',
      emptyOutDir: false,
      sourcemap: true,
      minify: false,
      lib: {
        entry: Object.fromEntries(entries.map((name) => [name, join('src', `${name}.ts`)])),
        formats: ['es'],
      },
    },
  })
}

test('the functions that run are counted, once each, and no others', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeSources('js')
  const scripts = await cover('src', 'src/first.js', 'src/second.js')
  expect(sourceFunctions(scripts, join(folder, 'src'))).toEqual(EXPECTED('js'))
})

test('functions of a bundle and its chunks are those of its source files', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeSources('ts')
  await bundle('first', 'second')
  const scripts = await cover('dist', 'dist/first.js', 'dist/second.js')
  // The two entries, and what they share.
  expect(scripts).toHaveLength(3)
  expect(sourceFunctions(scripts, join(folder, 'src'))).toEqual(EXPECTED('ts'))
})

test('a function that is in two bundles is one function', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeSources('ts')
  await bundle('first')
  await bundle('second')
  const scripts = await cover('dist', 'dist/first.js', 'dist/second.js')
  expect(scripts).toHaveLength(2)
  expect(sourceFunctions(scripts, join(folder, 'src'))).toEqual(EXPECTED('ts'))
})

test('functions of source files elsewhere, as of a dependency in a bundle, are left out', async () => {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeSources('ts')
  await bundle('first', 'second')
  const scripts = await cover('dist', 'dist/first.js', 'dist/second.js')
  expect(sourceFunctions(scripts, join(folder, 'elsewhere'))).toEqual([])
})

test('a script without a source map is refused, rather than not counted', () => {
  const script = { url: 'file:///dist/a.js', text: 'run()', functions: [] }
  expect(() => sourceFunctions([script], join(folder, 'src'))).toThrow(
    'file:///dist/a.js has no source map: build it with one',
  )
})

const walk: Walk = {
  name: 'call',
  title: 'One call',
  client: [
    { file: 'calls/caller.ts', name: 'call', calls: 1 },
    { file: 'calls/caller.ts', name: 'send', calls: 2 },
    { file: 'link/connection.ts', name: 'send', calls: 1 },
  ],
  server: [{ file: 'link/connection.ts', name: 'receive', calls: 1 }],
}

test('a walk is above its budget where either side has more functions, or more files', () => {
  expect(excesses(walk, { functions: 3, files: 2 })).toEqual([])
  expect(excesses(walk, { functions: 2, files: 2 })).toEqual([
    'One call, client: 3 functions, and at most 2 may be',
  ])
  expect(excesses(walk, { functions: 3, files: 1 })).toEqual([
    'One call, client: 2 files, and at most 1 may be',
  ])
  expect(excesses(walk, { functions: 0, files: 0 })).toHaveLength(4)
})

test('a walk is printed by file, with how often each function ran', () => {
  expect(textOf(walk)).toContain('One call, client: 3 functions in 2 files, 4 calls (at most ')
  expect(textOf(walk)).toContain('  calls/caller.ts     call send×2\n')
  expect(markdownOf([walk])).toContain(
    '| `calls/caller.ts` | `call` `send` |  |\n| `link/connection.ts` | `send` | `receive` |',
  )
})
