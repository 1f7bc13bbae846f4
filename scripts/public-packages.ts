import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the manifest of a package that is published says of it. */
export interface PublicPackage {
  /** Its folder in `packages`. */
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly repository?: { readonly url?: string; readonly directory?: string }
}

const packages = join(import.meta.dirname, '..', 'packages')

/** The packages that are published, in the order of their folders. */
export function publicPackages(): readonly PublicPackage[] {
  return readdirSync(packages)
    .sort()
    .map((folder) => {
      const text = readFileSync(join(packages, folder, 'package.json'), 'utf8')
      return { ...(JSON.parse(text) as Omit<PublicPackage, 'folder'>), folder }
    })
    .filter((one) => one.private !== true)
}
