import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'
import { CATALOGUE } from '../packages/core/test/faults/catalogue.ts'

/**
 * Runs the tests of all that can go wrong, wherever they are, and tells of each fault what came of it.
 * FLASHRPC_FAULT_SEEDS says over how many seeds, FLASHRPC_SEED repeats one.
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const rows = Object.entries(CATALOGUE)
const tests = rows.flatMap(([, { tests }]) => tests)
const files = [...new Set(tests.map(([file]) => file))]
/** A title as vitest's filter sees it: with what a table put in, behind those of its groups. */
const patterns = [...new Set(tests.map(([, title]) => title))].map(patternOf)

const folder = mkdtempSync(join(tmpdir(), 'flashrpc-faults-'))
const outputFile = join(folder, 'report.json')
try {
  const vitest = await startVitest('test', files, {
    root,
    run: true,
    testNamePattern: `(${patterns.join('|')})`,
    reporters: ['default', 'json'],
    outputFile: { json: outputFile },
  })
  await vitest?.close()
  tell(readFileSync(outputFile, 'utf8'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface Report {
  testResults: {
    name: string
    assertionResults: { title: string; fullName: string; status: string }[]
  }[]
}

function tell(json: string): void {
  const { testResults } = JSON.parse(json) as Report
  let failed = 0
  console.log('')
  for (const [number, { fault, tests }] of rows) {
    const ran = tests.flatMap(([file, title]) => {
      // A title made of one text of a table is in quotes.
      const pattern = new RegExp(`^['"]?${patternOf(title)}`)
      const results = testResults.filter(({ name }) => relative(root, name) === file)
      const found = results.flatMap(({ assertionResults }) =>
        assertionResults.filter(({ title, status }) => pattern.test(title) && status !== 'skipped'),
      )
      return found.length > 0 ? found : [{ title, status: 'not found' }]
    })
    const wrong = ran.filter(({ status }) => status !== 'passed')
    if (wrong.length > 0) failed++
    const verdict = wrong.length === 0 ? `${ran.length} passed` : describe(wrong)
    console.log(`${number.padStart(2)}  ${wrong.length === 0 ? '✓' : '✗'}  ${fault}: ${verdict}`)
  }
  console.log(`\n${rows.length - failed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

function describe(wrong: readonly { title: string; status: string }[]): string {
  return wrong.map(({ title, status }) => `"${title}" ${status}`).join(', ')
}

/** A title's beginning as a regular expression: what stands for values of a table is any text. */
function patternOf(title: string): string {
  return title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%[sij]|\\\$name/g, '.*')
}
