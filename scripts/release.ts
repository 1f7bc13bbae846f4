import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkPackedFiles } from './check-packed-files.ts'
import { checkTarball } from './check-tarball.ts'
import { measureSizes } from './measure-sizes.ts'
import { pack } from './pack.ts'
import { type PublicPackage, publicPackages } from './public-packages.ts'
import { ownersNeeds } from './release-needs.ts'
import { releaseNotes } from './release-notes.ts'

/**
 * Publishes each version of the packages that the registry of npm does not have yet, with a statement of provenance, and
 * makes a release of the repository. The packages must be built.
 *
 * With `--dry` it publishes nothing: it packs and checks the packages, prints the notes, and names what is missing that only
 * an owner can give. That alone does not make it fail.
 */

const root = join(import.meta.dirname, '..')
const { dry } = parseArgs({ options: { dry: { type: 'boolean', default: false } } }).values
const folder = mkdtempSync(join(tmpdir(), 'flashrpc-release-'))

try {
  const packages = publicPackages()
  checkLinkedGroup(packages)
  const tarballs = new Map(packages.map((one) => [one, pack(one.folder, folder)]))
  for (const [{ folder: name }, tarball] of tarballs) {
    checkTarball(tarball)
    checkPackedFiles(tarball, name)
  }
  const notes = releaseNotes(packages, measureSizes())
  const needs = ownersNeeds(packages)
  if (dry) console.log(`\nThe notes of the release:\n\n${notes}`)
  for (const { what, remedy } of needs) console.log(`Only an owner can give ${what}: ${remedy}`)
  if (dry) {
    const rest = needs.length > 0 ? 'All else is ready' : 'All is ready'
    console.log(`${rest} to be published: ${packages.length} packages`)
  } else if (needs.length > 0) process.exitCode = 1
  else publishAll(tarballs, notes)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** All packages that are published must be in the one linked group, and only they. */
function checkLinkedGroup(packages: readonly PublicPackage[]): void {
  const config = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8')) as {
    linked: readonly (readonly string[])[]
  }
  const names = packages.map(({ name }) => name).sort()
  assert.deepEqual(
    config.linked.map((group) => [...group].sort()),
    [names],
    'The linked group of .changeset/config.json must have all packages that are published',
  )
  const pending = readdirSync(join(root, '.changeset')).filter(
    (file) => file.endsWith('.md') && file !== 'README.md',
  )
  assert(
    dry || pending.length === 0,
    `Run "changeset version" first: ${pending.join(', ')} would not be in the release`,
  )
}

function publishAll(tarballs: ReadonlyMap<PublicPackage, string>, notes: string): void {
  const published = [...tarballs].filter(([{ name, version }, tarball]) => {
    const { stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], {
      encoding: 'utf8',
    })
    if (stdout.trim() === version) return false
    run('npm', ['publish', tarball, '--access', 'public', '--provenance'])
    return true
  })
  if (published.length === 0) return console.log('The registry has all versions already')
  const version = published
    .map(([one]) => one.version)
    .sort()
    .at(-1)
  const file = join(folder, 'notes.md')
  writeFileSync(file, notes)
  // The tag is on the commit that was packed, and main may have gone on.
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const options = ['--title', `v${version}`, '--target', commit, '--notes-file', file]
  run('gh', ['release', 'create', `v${version}`, ...options])
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd: root, stdio: 'inherit' })
}
