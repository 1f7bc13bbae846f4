import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The folders that are packed, and what may be in each. */
const FILES: readonly RegExp[] = [
  /^(package\.json|README\.md|LICENSE)$/,
  /^dist\/.+\.(js|cjs|d\.ts|d\.cts)(\.map)?$/,
  /^src\/.+\.(ts|tsx|cts)$/,
  /^docs\/.+\.md$/,
  /^bin\/[^/]+\.js$/,
  /^templates\/[^/]+\/(?!node_modules\/|dist\/|out\/|\.next\/).+/,
]

/** What a `package.json` says of a package, besides how it is used. */
interface Manifest {
  readonly name: string
  readonly description: string
  readonly keywords: readonly string[]
  readonly author: string
  readonly license: string
  readonly type: string
  readonly sideEffects: unknown
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly publishConfig: { readonly access: string }
}

/**
 * Checks what is in a packed package: its files, what its `package.json` says, and that every link of its README and
 * its documentation leads to a file of the package or to an address. A page of the guide must have kept its links to other
 * pages of the guide.
 *
 * @throws {AssertionError} naming the file, the field or the link.
 */
export function checkTarball(tarball: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'flashrpc-tarball-'))
  try {
    execFileSync('tar', ['-xzf', tarball, '-C', folder])
    const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n')
    const files = new Set(listed.map((path) => path.replace(/^package\//, '')))
    const read = (path: string) => readFileSync(join(folder, 'package', path), 'utf8')
    checkFiles(files)
    checkManifest(JSON.parse(read('package.json')) as Manifest, files)
    const pages = [...files].filter((path) => path.endsWith('.md'))
    for (const page of pages) {
      checkLinks(page, read(page), files)
      if (page.startsWith('docs/guide/')) checkKeptLinks(page, read(page))
    }
    console.log(`${basename(tarball)}: ${files.size} files, ${pages.length} pages of documentation`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function checkFiles(files: ReadonlySet<string>): void {
  const unwanted = [...files].filter((path) => !FILES.some((pattern) => pattern.test(path)))
  assert.deepEqual(unwanted, [], 'files that no user needs are packed')
  for (const path of ['package.json', 'README.md', 'LICENSE']) assert(files.has(path), path)
  // A source map leads to a file that is packed, too.
  assert(
    [...files].some((path) => path.startsWith('src/')),
    'the sources are not packed',
  )
}

function checkManifest(manifest: Manifest, files: ReadonlySet<string>): void {
  const { name, description, keywords, exports, bin = {}, scripts = {} } = manifest
  assert.match(description, /^[A-Z@a-z].{30,}\.$/, `${name}: description`)
  assert(keywords.length >= 5, `${name}: keywords`)
  assert.equal(new Set(keywords).size, keywords.length, `${name}: keywords`)
  assert.equal(manifest.author, 'The flashrpc contributors', `${name}: author`)
  assert.equal(manifest.license, 'MIT', `${name}: license`)
  assert.equal(manifest.type, 'module', `${name}: type`)
  assert.match(manifest.engines.node, /^>=\d+\.\d+$/, `${name}: engines`)
  assert('sideEffects' in manifest, `${name}: sideEffects`)
  assert.equal(manifest.publishConfig.access, 'public', `${name}: publishConfig`)
  assert.equal(exports['./package.json'], './package.json', `${name}: exports`)
  // What runs while it is packed is of no use in the package.
  assert(!('prepack' in scripts || 'postpack' in scripts), `${name}: scripts`)
  const entries = [...targetsOf(exports), ...Object.values(bin)]
  for (const target of entries) {
    assert(files.has(posix.normalize(target)), `${name}: ${target} is not packed`)
  }
}

/** The files that `exports` leads to, under all conditions. */
function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports]
  return Object.values(exports as Record<string, unknown>).flatMap(targetsOf)
}

function checkLinks(page: string, text: string, files: ReadonlySet<string>): void {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => String(target))
  // It is downloaded each time it runs: its README says all of it.
  const isCreator = files.has('bin/create-flashrpc.js')
  if (page === 'README.md' && !isCreator) {
    assert(
      links.some((target) => target.startsWith('docs/')),
      'the README leads to no documentation',
    )
  }
  for (const target of links) {
    if (/^https:/.test(target)) continue
    const [path = '', anchor] = target.split('#')
    const wanted = path === '' ? page : posix.join(posix.dirname(page), path)
    assert(files.has(wanted), `${page} links to ${target}, which is not in the package`)
    if (anchor && wanted === page) {
      assert(anchorsOf(text).has(anchor), `${page} links to #${anchor}, which it does not have`)
    }
  }
}

/** Compares a page of the guide with the same page of the repository. */
function checkKeptLinks(page: string, packed: string): void {
  const text = readFileSync(join(root, page), 'utf8')
  for (const [link, target = ''] of text.matchAll(/\]\(([^)\s]+\.md(?:#[^)\s]*)?)\)/g)) {
    const wanted = posix.join(posix.dirname(page), target.split('#')[0] ?? '')
    if (!wanted.startsWith('docs/guide/') || !existsSync(join(root, wanted))) continue
    assert(packed.includes(link), `${page} has lost its link to ${target}: ${wanted} is not packed`)
  }
}

/** The anchors of a page's headings, as they are made of their texts. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => String(heading))
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  )
}
