import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The most files of one package that Node opens for an entry. */
const MOST_FILES = 15

/** What an entry is imported for, and no other entry opens: packages that only some applications have. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  '@flashrpc/core/msgpack': ['@msgpack/msgpack'],
  '@flashrpc/core/opentelemetry': ['@opentelemetry/api'],
  '@flashrpc/react/devtools': ['react-dom'],
  '@flashrpc/react/query': ['@tanstack/react-query'],
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/**
 * Imports each entry of an installed package in a Node process of its own, and checks which files that opens: few of the
 * package, and none of an optional peer that belongs to another entry.
 *
 * @param folder where the package is installed.
 * @throws {AssertionError} naming the entry and the files.
 */
export function checkOpenedFiles(folder: string, name: string): void {
  const text = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')
  const { exports, peerDependenciesMeta = {} } = JSON.parse(text) as Manifest
  const peers = Object.keys(peerDependenciesMeta)
  const counts: string[] = []
  for (const [path, target] of Object.entries(exports)) {
    // What is no module is for no Node process.
    if (typeof target === 'string' || !target.default?.endsWith('.js')) continue
    const entry = name + path.slice(1)
    const opened = filesOpenedBy(entry, folder)
    const own = opened.get(name) ?? []
    assert(own.length > 0, `${entry} opens no file of its package`)
    assert(
      own.length <= MOST_FILES,
      `${entry} opens ${own.length} files of ${name}, more than ${MOST_FILES}:\n${own.join('\n')}`,
    )
    const allowed = OPTIONAL[entry] ?? []
    const foreign = peers.filter((peer) => opened.has(peer) && !allowed.includes(peer))
    assert.deepEqual(foreign, [], `${entry} opens optional peers that it does not need`)
    for (const peer of allowed) assert(opened.has(peer), `${entry} does not open ${peer}`)
    counts.push(`${path} ${own.length}`)
  }
  console.log(`${name}: files that Node opens: ${counts.join(', ')}`)
}

/** The files that are opened, by their packages. */
function filesOpenedBy(entry: string, folder: string): Map<string, string[]> {
  const coverage = mkdtempSync(join(tmpdir(), 'flashrpc-opened-'))
  try {
    const program = `await import(${JSON.stringify(entry)}); process.exit()`
    execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: folder,
      env: { ...process.env, NODE_V8_COVERAGE: coverage, NODE_OPTIONS: '' },
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 60_000,
    })
    const files = new Map<string, string[]>()
    for (const report of readdirSync(coverage)) {
      const { result } = JSON.parse(readFileSync(join(coverage, report), 'utf8')) as {
        result: { url: string }[]
      }
      for (const { url } of result.filter(({ url }) => url.startsWith('file:'))) {
        const [, inside] = fileURLToPath(url).split(/[\\/]node_modules[\\/](?!.*[\\/]node_modules)/)
        const name = /^(?:@[^\\/]+[\\/])?[^\\/]+/.exec(inside ?? '')?.[0].replace('\\', '/')
        if (name) files.set(name, [...(files.get(name) ?? []), url])
      }
    }
    return files
  } finally {
    rmSync(coverage, { recursive: true, force: true })
  }
}
