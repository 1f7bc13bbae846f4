import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages')

/**
 * Packs a built package as it would be published.
 *
 * @param name the name of its folder, such as `core`.
 * @param into the folder for the tarball.
 * @returns the tarball's path.
 */
export function pack(name: string, into: string): string {
  const output = execFileSync('pnpm', ['pack', '--json', '--pack-destination', into], {
    cwd: join(packages, name),
    encoding: 'utf8',
  })
  const { filename } = JSON.parse(output) as { filename?: string }
  assert(filename, `pnpm pack of ${name} made no file: ${output}`)
  return resolve(into, filename)
}
