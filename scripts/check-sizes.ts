import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Measures what pages would download (`.size-limit.json`), and holds it against its limits and against what the README says:
 * in whole kB, more than the size and less than 1.5 kB more, so that a few bytes do not change it.
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What the README says of a size, by the size's name in `.size-limit.json`. */
const PROMISES: readonly (readonly [name: string, text: RegExp])[] = [
  ['client over a WebSocket, with reconnecting', /a client adds less than (\d+) kB/],
  ['React hooks, without React', /the React hooks less than (\d+) kB/],
  ['channel over a MessagePort', /a channel over a\s+MessagePort less than (\d+) kB/],
]

interface Measured {
  readonly name: string
  readonly passed: boolean
  /** In bytes, with gzip. */
  readonly size: number
  readonly sizeLimit: number
}

const { stdout, stderr } = spawnSync(join(root, 'node_modules', '.bin', 'size-limit'), ['--json'], {
  cwd: root,
  encoding: 'utf8',
})
assert(stdout.trimStart().startsWith('['), `size-limit failed:\n${stdout}${stderr}`)
const measured = JSON.parse(stdout) as Measured[]

const kB = (bytes: number) => `${(bytes / 1_000).toFixed(2)} kB`
for (const { name, size, sizeLimit, passed } of measured) {
  console.log(`${passed ? ' ' : '!'} ${kB(size)} of ${kB(sizeLimit)}: ${name}`)
}
const tooLarge = measured.filter(({ passed }) => !passed).map(({ name }) => name)
assert.deepEqual(tooLarge, [], 'Too large: make it smaller, or raise its limit in .size-limit.json')

const readme = readFileSync(join(root, 'README.md'), 'utf8')
for (const [name, text] of PROMISES) {
  const size = measured.find((one) => one.name === name)?.size
  assert(size, `.size-limit.json has no "${name}"`)
  const said = Number(text.exec(readme)?.[1])
  const room = said * 1_000 - size
  const right = Math.ceil(size / 1_000)
  assert(
    room >= 0 && room < 1_500,
    `README.md says ${said} kB of "${name}", which has ${kB(size)}. Write ${right}`,
  )
}
console.log('  The README says the same')
