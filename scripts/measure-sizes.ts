import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** The size of one thing that pages download, as `.size-limit.json` names it. */
export interface Measured {
  readonly name: string
  readonly passed: boolean
  /** In bytes, with gzip. */
  readonly size: number
  /** In bytes. */
  readonly sizeLimit: number
}

/** Measures what pages would download of the built packages. */
export function measureSizes(): readonly Measured[] {
  const limit = join(root, 'node_modules', '.bin', 'size-limit')
  const { stdout, stderr } = spawnSync(limit, ['--json'], { cwd: root, encoding: 'utf8' })
  assert(stdout.trimStart().startsWith('['), `size-limit failed:\n${stdout}${stderr}`)
  return JSON.parse(stdout) as Measured[]
}

/** A size as it is written for people: in kB of 1,000 bytes. */
export function inKilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(2)} kB`
}
