import { BUDGETS } from './budgets.ts'
import { type Count, countOf, type SourceFunction } from './source-functions.ts'
import { SIDES, type Walk } from './walks.ts'

/** A walk for the terminal. */
export function textOf(walk: Walk): string {
  return SIDES.flatMap((side) => {
    const calls = walk[side].reduce((sum, one) => sum + one.calls, 0)
    const total = `${inWords(countOf(walk[side]))}, ${calls} calls`
    const budget = `at most ${inWords(BUDGETS[walk.name])}`
    const files = byFile(walk[side])
    const width = Math.max(...[...files.keys()].map((file) => file.length))
    const lines = [...files].map(([file, functions]) => {
      const names = functions.map(({ name, calls }) => (calls > 1 ? `${name}×${calls}` : name))
      return `  ${file.padEnd(width)}  ${names.join(' ')}`
    })
    return [`${walk.title}, ${side}: ${total} (${budget})`, ...lines, '']
  }).join('\n')
}

/** Walks as a page of Markdown has them: their sizes, and then what each runs. */
export function markdownOf(walks: readonly Walk[]): string {
  const sizes = table(
    ['', 'client', 'server', 'at most'],
    walks.map((walk) => [
      walk.title,
      ...SIDES.map((side) => inWords(countOf(walk[side]))),
      inWords(BUDGETS[walk.name]),
    ]),
  )
  return [sizes, ...walks.map(sectionOf)].join('\n\n')
}

function sectionOf(walk: Walk): string {
  const [client, server] = [byFile(walk.client), byFile(walk.server)]
  const files = [...new Set([...client.keys(), ...server.keys()])].sort()
  const cell = (functions: readonly SourceFunction[] = []) =>
    [...new Set(functions.map(({ name }) => `\`${name}\``))].join(' ')
  const rows = files.map((file) => [`\`${file}\``, cell(client.get(file)), cell(server.get(file))])
  return [`### ${walk.title}`, '', table(['file', ...SIDES], rows)].join('\n')
}

function byFile(functions: readonly SourceFunction[]): Map<string, SourceFunction[]> {
  const files = new Map<string, SourceFunction[]>()
  for (const one of functions) files.set(one.file, [...(files.get(one.file) ?? []), one])
  return files
}

function inWords({ functions, files }: Count): string {
  return `${functions} functions in ${files} files`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
