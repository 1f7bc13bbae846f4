import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inKilobytes, type Measured } from './measure-sizes.ts'
import type { PublicPackage } from './public-packages.ts'

const root = join(import.meta.dirname, '..')

/** The notes of a release: what has changed in each package, and what pages download. */
export function releaseNotes(
  packages: readonly PublicPackage[],
  sizes: readonly Measured[],
): string {
  const changes = packages.flatMap(({ folder, name, version }) => {
    const section = sectionOf(join(root, 'packages', folder, 'CHANGELOG.md'), version)
    return section ? [`## ${name} ${version}\n\n${section}`] : []
  })
  // The first version has no changes to a version before.
  const first = sectionOf(join(root, 'CHANGELOG.md'), packages[0]?.version ?? '')
  const text = changes.length > 0 ? changes.join('\n\n') : (first ?? '')
  const rows = sizes.map(({ name, size }) => `| ${name} | ${inKilobytes(size)} |`)
  return `${text}\n\n## What pages download\n\nMinified, with gzip:\n\n| | size |\n|---|---|\n${rows.join('\n')}\n`
}

/** The text below a version's heading in a changelog, up to the next one. */
function sectionOf(file: string, version: string): string | undefined {
  if (!existsSync(file)) return undefined
  const [, ...sections] = readFileSync(file, 'utf8').split(/^## /m)
  const section = sections.find((text) => text.split('\n', 1)[0]?.trim() === version)
  return section?.slice(section.indexOf('\n')).trim()
}
