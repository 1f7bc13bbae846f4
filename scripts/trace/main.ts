import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Build } from '../../bench/builds.ts'
import { BUDGETS, excesses } from './budgets.ts'
import { markdownOf, textOf } from './report.ts'
import { TITLES, takeWalk, type Walk } from './walks.ts'

const NAMES = Object.keys(TITLES) as Walk['name'][]

const HELP = `Usage: npx --yes pnpm@12 trace [WALK…] [options]

Prints which functions, in which source files, run on either side for one thing that is asked of the library, as V8
counts them, in the built core. Walks (default: all):

${NAMES.map((name) => `  ${name.padEnd(8)} ${TITLES[name]}: at most ${BUDGETS[name].functions} functions in ${BUDGETS[name].files} files a side`).join('\n')}

  --markdown         prints tables in Markdown, for docs/architecture.md
  --check            ends with 1 if a walk is above its budget (scripts/trace/budgets.ts)
  --project FOLDER   walks the core as a workspace in that folder has built it
  --help             this text`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    markdown: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    project: { type: 'string', default: join(import.meta.dirname, '..', '..') },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit()
}
const unknown = positionals.find((name) => !NAMES.some((known) => known === name))
if (unknown !== undefined) fail(`There is no walk ${unknown}; there are ${NAMES.join(', ')}`)
try {
  new Build(values.project).assertBuilt()
} catch (error) {
  fail((error as Error).message)
}

// Node knows modules by where they are, and not by links to them.
const folder = realpathSync(values.project)
const walks: Walk[] = []
for (const name of NAMES) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const walk = await takeWalk(name, folder)
  walks.push(walk)
  if (!values.markdown) console.log(textOf(walk))
}
if (values.markdown) console.log(markdownOf(walks))
if (values.check) {
  const all = walks.flatMap((walk) => excesses(walk))
  if (all.length > 0) {
    console.error(['Above the budgets of scripts/trace/budgets.ts:', ...all].join('\n  '))
    process.exitCode = 1
  }
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
