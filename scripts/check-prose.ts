import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsOf, proseOfErrors, proseOfMarkdown } from './prose.ts'

/** Checks the pages, and the texts of errors, against the rules of plain English in `prose.ts`. No file may break one. */

const root = join(fileURLToPath(import.meta.url), '../..')
/** Pages without prose of ours, or for which each word counts: the specification is the source of truth. */
const LEFT_OUT: ReadonlySet<string> = new Set(['docs/protocol.md', 'CHANGELOG.md'])

const pages = files('*.md').filter((file) => !LEFT_OUT.has(file))
const sources = files('packages/*/src/**/*.ts', 'packages/*/src/**/*.tsx')
const faults = [
  ...pages.flatMap((file) => faultsIn(file, proseOfMarkdown)),
  ...sources.flatMap((file) => faultsIn(file, proseOfErrors)),
]
assert(faults.length === 0, `\n${faults.join('\n')}`)
console.log(`${pages.length} pages and ${sources.length} sources, without a fault`)

function files(...patterns: string[]): string[] {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard']
  return execFileSync('git', [...options, ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
}

/** The faults of a file, one a line: the file, the rule and the sentence. */
function faultsIn(file: string, proseOf: (text: string) => readonly string[]): string[] {
  const sentences = proseOf(readFileSync(join(root, file), 'utf8'))
  return faultsOf(sentences).map(({ rule, text }) => `${file}: ${rule}: ${text}`)
}
