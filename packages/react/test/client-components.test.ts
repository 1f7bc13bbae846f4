import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** What a server component can't load: a React server has no hooks, no context and no DOM. */
const ONLY_IN_PAGES = /^(react|react-dom|zustand)$/

interface Module {
  readonly file: URL
  readonly isClient: boolean
  /** What it imports besides types. */
  readonly imports: readonly string[]
}

function read(file: URL): Module {
  const text = readFileSync(file, 'utf8')
  const imports = [...text.matchAll(/^(?:import|export) (?!type )[^'"]*?from '([^']+)'/gm)]
  return {
    file,
    isClient: text.startsWith("'use client'\n"),
    imports: imports.map(([, name = '']) => name),
  }
}

/** The modules that a server component loads with an entry: those behind a `'use client'` are loaded by pages only. */
function* loadedOnServers(file: URL, seen = new Set<string>()): Generator<Module> {
  if (seen.has(file.href)) return
  seen.add(file.href)
  const module = read(file)
  if (module.isClient) return
  yield module
  for (const name of module.imports.filter((name) => name.startsWith('.'))) {
    const source = ['.ts', '.tsx'].map((type) => new URL(name.replace(/\.js$/, type), file))
    const found = source.find((url) => {
      try {
        return readFileSync(url).length > 0
      } catch {
        return false
      }
    })
    if (!found) throw new Error(`${fileURLToPath(file)} imports ${name}, which is not there`)
    yield* loadedOnServers(found, seen)
  }
}

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, string | Record<string, string>>
}

const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[name, target['@flashrpc/source'] ?? '']],
)

test.each(entries)('%s can be imported by a server component', (_, path = '') => {
  const modules = [...loadedOnServers(new URL(`../${path}`, import.meta.url))]
  const wrong = modules.filter(({ imports }) => imports.some((name) => ONLY_IN_PAGES.test(name)))
  expect(wrong.map(({ file }) => file.pathname)).toEqual([])
})

test('what makes options of queries can be called by one', () => {
  const modules = [...loadedOnServers(new URL('../src/query.ts', import.meta.url))]
  const names = modules.map(({ file }) => file.pathname.split('/').at(-1))
  expect(names).toEqual(
    expect.arrayContaining(['query-options.ts', 'mutation-options.ts', 'query-key.ts']),
  )
})
