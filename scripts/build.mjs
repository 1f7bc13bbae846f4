// Builds the packages. The TypeScript compiler checks them and writes their declarations; bundle.mjs writes their JavaScript.
// What is up to date stays as it is, so that programs can run on the packages while they are built again.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

const { status } = spawnSync(process.execPath, [tsc, '-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const packages = ['core', 'react', 'electron', 'nats', 'redis', 'cli', 'create-flashrpc']
for (const name of packages) await bundle(join(root, 'packages', name))
