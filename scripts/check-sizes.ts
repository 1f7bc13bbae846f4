import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inKilobytes, measureSizes } from './measure-sizes.ts'

/**
 * Measures what pages would download (`.size-limit.json`), and holds it against its limits and against what the README says:
 * in whole kB, more than the size and less than 1.5 kB more, so that a few bytes do not change it.
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What the README says of a size, by the size's name in `.size-limit.json`. */
const PROMISES: readonly (readonly [name: string, text: RegExp])[] = [
  ['client over a WebSocket, with reconnecting', /a client adds less than (\d+) kB/],
  ['React hooks, without React', /the React hooks less than (\d+) kB/],
  ['channel over a MessagePort', /channel over a\s+MessagePort adds less than (\d+) kB/],
]

const measured = measureSizes()
for (const { name, size, sizeLimit, passed } of measured) {
  console.log(`${passed ? ' ' : '!'} ${inKilobytes(size)} of ${inKilobytes(sizeLimit)}: ${name}`)
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
    `README.md says ${said} kB of "${name}", which has ${inKilobytes(size)}. Write ${right}`,
  )
}
console.log('  The README says the same')
