import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/**
 * Compares the files of a packed package with the list in `packed-files.json`, and its sources, its types, its pages and its
 * templates with the files of the repository. So nothing gets into a package, or out of it, that nobody has decided about.
 *
 * The names of chunks, and source maps, are the bundler's: they are not compared.
 *
 * @param tarball the packed package.
 * @param folder the folder of the package, such as `core`.
 * @throws {AssertionError} naming the files that differ.
 */
export function checkPackedFiles(tarball: string, folder: string): void {
  const all = lines(execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }))
    .map((path) => path.replace(/^package\//, ''))
    .filter((path) => !path.endsWith('.map') && !path.startsWith('dist/chunks/'))
  const packed = (pattern: RegExp) => all.filter((path) => pattern.test(path)).sort()
  const where = `packages/${folder}`
  const sources = tracked(`${where}/src`).map((path) => path.slice(where.length + 1))
  assert.deepEqual(packed(/^src\//), sources, `${folder}: the sources that are packed`)
  const types = packed(TYPES).map((path) =>
    path.replace(/^dist/, 'src').replace(/\.d(\.c?ts)$/, '$1'),
  )
  const strange = types.filter((path) => !sources.includes(path) && !sources.includes(`${path}x`))
  assert.deepEqual(strange, [], `${folder}: types of no source are packed`)
  const pages = tracked('docs')
  const unknown = packed(/^docs\//).filter((path) => !pages.includes(path))
  assert.deepEqual(unknown, [], `${folder}: pages that are not in the repository are packed`)
  const templates = tracked(`${where}/templates`).map((path) => path.slice(where.length + 1))
  // npm leaves out a file of the name .gitignore, so it is packed under another one.
  const added = packed(/^templates\//).filter(
    (path) => !templates.includes(path) && !templates.includes(path.replace('/_', '/.')),
  )
  assert.deepEqual(
    added,
    [],
    `${folder}: files of templates that are not in the repository are packed`,
  )
  const rest = all
    .filter((path) => !/^(src|docs|templates)\//.test(path) && !TYPES.test(path))
    .sort()
  const list = JSON.parse(
    readFileSync(join(root, 'scripts/packed-files.json'), 'utf8'),
  ) as Readonly<Record<string, readonly string[]>>
  assert.deepEqual(
    rest,
    list[folder],
    `${folder}: other files are packed than scripts/packed-files.json lists. If that is right, correct the list`,
  )
}

const TYPES = /^dist\/.+\.d\.c?ts$/

/** The files of a folder that are in the repository, or will be. */
function tracked(folder: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', folder]
  return lines(execFileSync('git', args, { cwd: root, encoding: 'utf8' })).sort()
}

function lines(text: string): string[] {
  return text.trim().split('\n')
}
