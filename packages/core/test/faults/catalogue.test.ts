import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { CATALOGUE } from './catalogue.js'

const root = new URL('../../../../', import.meta.url)
const rows = Object.entries(CATALOGUE)

describe('the catalogue of faults', () => {
  test('has the fifty-two there are', () => {
    expect(rows.map(([number]) => Number(number))).toStrictEqual(
      Array.from({ length: 52 }, (_, n) => n + 1),
    )
  })

  test.each(rows)('%s is done by tests that there are', (_, { tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    for (const [file, title] of tests) {
      const source = readFileSync(fileURLToPath(new URL(file, root)), 'utf8').replace(/\s+/g, ' ')
      expect(source, `${file} has no test "${title}"`).toMatch(titleOf(title))
    }
  })
})

/** A title where a test has it: behind an opening quote. */
function titleOf(title: string): RegExp {
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/'/g, "['’]")
  return new RegExp(`['"\`]${literal}`)
}
