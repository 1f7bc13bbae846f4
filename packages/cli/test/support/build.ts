import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Builds the command line, and what it is made of: its tests run what is published. */
export function setup(): void {
  const root = fileURLToPath(new URL('../../../..', import.meta.url))
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b', 'packages/cli'], { cwd: root })
}
