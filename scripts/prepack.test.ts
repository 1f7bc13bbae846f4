import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const core = join(import.meta.dirname, '..', 'packages', 'core')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashrpc-prepack-'))
  for (const name of ['package.json', 'README.md', 'LICENSE', 'src']) {
    await cp(join(core, name), join(folder, name), { recursive: true })
  }
})

afterEach(() => rm(folder, { recursive: true }))

const prepack = () =>
  promisify(execFile)(process.execPath, [join(import.meta.dirname, 'prepack.mjs')], { cwd: folder })

/** All files in a folder of the package, with their contents. */
async function filesIn(name: string): Promise<ReadonlyMap<string, string>> {
  const base = join(folder, name)
  const entries = await readdir(base, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(
      paths.map(
        async (path) => [path.slice(base.length + 1), await readFile(path, 'utf8')] as const,
      ),
    ),
  )
}

test('a package is put together beside its files, which stay as they are', async () => {
  const before = await filesIn('.')
  await prepack()
  const after = [...(await filesIn('.'))].filter(([path]) => !path.startsWith('.packed'))
  expect(new Map(after)).toEqual(before)
  const packed = await filesIn('.packed')
  expect(packed.get('README.md')).toContain('](docs/guide/README.md)')
  expect(packed.get('docs/guide/README.md')).toBeTruthy()
  expect(packed.get('src/index.ts')).toBe(before.get('src/index.ts'))
})

test('a package is complete if it is packed several times at once, after an attempt that was cut', async () => {
  await prepack()
  const complete = await filesIn('.packed')
  await rm(join(folder, '.packed'), { recursive: true })
  await mkdir(join(folder, '.packed', 'src'), { recursive: true })
  await writeFile(join(folder, '.packed', 'README.md'), 'half of')
  await writeFile(join(folder, '.packed', 'src', 'removed.ts'), 'an older file')
  const seen = await Promise.all([1, 2, 3].map(() => prepack().then(() => filesIn('.packed'))))
  for (const packed of seen) expect(packed).toEqual(complete)
})
