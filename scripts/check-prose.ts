import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsOf, type ProseFault, proseOfErrors, proseOfMarkdown } from './prose.ts'

/**
 * Holds the pages, and the texts of errors, against the rules of plain English in `prose.ts`.
 *
 * Each file may have as many faults as `prose-baseline.json` says, and no more: a new file has none. `pnpm run prose --lower`
 * lowers the numbers of files that have become better, and never raises one. `pnpm run prose --list FILE` shows the faults.
 */

const root = join(fileURLToPath(import.meta.url), '../..')
const BASELINE = join(root, 'scripts/prose-baseline.json')
/** Pages without prose of ours, or for which each word counts: the specification is the source of truth. */
const LEFT_OUT: ReadonlySet<string> = new Set(['docs/protocol.md', 'CHANGELOG.md'])

const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Record<string, number>
const faults = new Map<string, readonly ProseFault[]>()
for (const file of files('*.md')) {
  if (!LEFT_OUT.has(file)) faults.set(file, faultsOf(proseOfMarkdown(read(file))))
}
for (const file of files('packages/*/src/**/*.ts', 'packages/*/src/**/*.tsx')) {
  const found = faultsOf(proseOfErrors(read(file)))
  if (found.length > 0) faults.set(file, found)
}

if (process.argv.includes('--lower')) lower()
else if (process.argv.includes('--list')) list(process.argv.at(-1) ?? '')
else check()

function files(...patterns: string[]): string[] {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard']
  return execFileSync('git', [...options, ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function check(): void {
  let better = 0
  const changed = [...new Set([...faults.keys(), ...Object.keys(baseline)])].flatMap((file) => {
    const found = faults.get(file) ?? []
    const allowed = baseline[file] ?? 0
    if (found.length < allowed) better++
    if (found.length <= allowed) return []
    const lines = found.map(({ rule, text }) => `    ${rule}: ${text}`)
    return [`${file}: ${found.length} faults, ${allowed} allowed\n${lines.join('\n')}`]
  })
  const total = [...faults.values()].reduce((sum, { length }) => sum + length, 0)
  assert(changed.length === 0, `\n${changed.join('\n')}`)
  console.log(`${faults.size} files, ${total} faults, in no file more than before`)
  if (better > 0) console.log(`${better} files are better than before: pnpm run prose --lower`)
}

/** Lowers the numbers of files that have become better, and forgets files that are gone. */
function lower(): void {
  const isFirst = Object.keys(baseline).length === 0
  const lowered = [...faults]
    .map(([file, { length }]): [string, number] => [
      file,
      isFirst ? length : Math.min(length, baseline[file] ?? 0),
    ])
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(BASELINE, `${JSON.stringify(Object.fromEntries(lowered), null, 2)}\n`)
}

function list(file: string): void {
  for (const { rule, text } of faults.get(file) ?? []) console.log(`${rule}: ${text}`)
}
