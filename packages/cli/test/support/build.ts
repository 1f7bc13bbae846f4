import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Builds the command line, and what it is made of: its tests run what is published. */
export function setup(): void {
  const script = fileURLToPath(new URL('../../../../scripts/build.mjs', import.meta.url))
  execFileSync(process.execPath, [script])
}
