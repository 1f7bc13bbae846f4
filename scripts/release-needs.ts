import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PublicPackage } from './public-packages.ts'

const root = join(import.meta.dirname, '..')

/** Something that a release needs and only an owner of the project can give. */
export interface Need {
  readonly what: string
  /** What the owner does about it. */
  readonly remedy: string
}

/** What a release of these packages needs of an owner. It asks the registry of npm which names are there. */
export function ownersNeeds(packages: readonly PublicPackage[]): readonly Need[] {
  const [address, scope] = [repositoryNeed(packages), firstReleaseNeeds(packages)]
  return [...address, ...scope, ...contactNeed()]
}

function repositoryNeed(packages: readonly PublicPackage[]): Need[] {
  const without = packages.filter(
    ({ repository, folder }) => !repository?.url || repository.directory !== `packages/${folder}`,
  )
  if (without.length === 0) return []
  return [
    {
      what: `the repository's address, for ${namesOf(without)}`,
      remedy:
        'write "repository": { "type": "git", "url": "git+https://….git", "directory": "packages/…" } into each package.json: a statement of provenance names it',
    },
  ]
}

function firstReleaseNeeds(packages: readonly PublicPackage[]): Need[] {
  const fresh = packages.filter(({ name }) => isOnRegistry(name) !== true)
  if (fresh.length === 0 || process.env.NODE_AUTH_TOKEN) return []
  const scopes = new Set(fresh.map(({ name }) => /^@[^/]+/.exec(name)?.[0]).filter(Boolean))
  const needs: Need[] = [...scopes].map((scope) => ({
    what: `the scope ${scope}`,
    remedy: 'create the organisation of that name on npmjs.com, if it is not yours yet',
  }))
  needs.push({
    what: `the first token, for ${namesOf(fresh)}`,
    remedy:
      'set NODE_AUTH_TOKEN to a token that may publish: trusted publishing can be set up for a name only after its first version',
  })
  return needs
}

function contactNeed(): Need[] {
  const text = readFileSync(join(root, 'SECURITY.md'), 'utf8')
  const contact = /^Security contact: (.+)$/m.exec(text)?.[1] ?? ''
  if (/@|https:\/\//.test(contact)) return []
  return [
    {
      what: 'the security contact',
      remedy: 'write an address of mail, or a page, behind "Security contact:" in SECURITY.md',
    },
  ]
}

/** Whether the registry has a package of that name; undefined if it can't be asked. */
function isOnRegistry(name: string): boolean | undefined {
  const options = { encoding: 'utf8', timeout: 60_000 } as const
  const { status, stderr } = spawnSync('npm', ['view', name, 'version'], options)
  if (status === 0) return true
  return String(stderr).includes('E404') ? false : undefined
}

function namesOf(packages: readonly PublicPackage[]): string {
  return packages.map(({ name }) => name).join(', ')
}
