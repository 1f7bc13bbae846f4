import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** What a server component can't load: a React server has no hooks, no context and no DOM. */
const ONLY_IN_PAGES = /^(react|react-dom|zustand)(\/(?!jsx-runtime$)|$)/

const IMPORT = /^(?:import|export) (?:[^'"]* from )?["']([^"']+)["'];?$/gm

/**
 * Checks where `'use client'` stands in the files of an installed package: in the files of the modules that say it, and
 * ahead of all that only pages can load.
 *
 * @param folder the package's.
 * @param entries the files that an application imports, by their paths in `dist`.
 * @throws {AssertionError} naming the file.
 */
export function checkClientFiles(folder: string, name: string, entries: readonly string[]): void {
  const [src, dist] = [join(folder, 'src'), join(folder, 'dist')]
  const isClient = (file: string) => /^["']use client["']/.test(readFileSync(file, 'utf8'))
  const said = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && isClient(join(src, path)))
    .map((path) => path.replace(/\.tsx?$/, '.js'))
  assert(said.length > 0, `${name} has no module for pages`)
  for (const path of said) assert(isClient(join(dist, path)), `${name}: ${path} lacks 'use client'`)

  const onServers = new Set<string>()
  const load = (file: string) => {
    if (onServers.has(file) || isClient(file)) return
    onServers.add(file)
    for (const [, imported = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      assert(
        !ONLY_IN_PAGES.test(imported),
        `${name}: a server component would load ${imported}, by ${relative(dist, file)}`,
      )
      if (imported.startsWith('.')) load(join(dirname(file), imported))
    }
  }
  for (const path of entries) load(join(dist, path))
  const own = [...onServers].map((file) => relative(dist, file))
  console.log(
    `${name}: 'use client' in ${said.join(', ')}; server components load ${own.join(', ')}`,
  )
}
