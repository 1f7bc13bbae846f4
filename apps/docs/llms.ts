import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { type DocsPage, docs, readGroups } from './pages.ts'

/**
 * Writes what language models read: `llms.txt` lists the pages, `llms-full.txt` has the text of all, and each page is there as
 * Markdown beside its HTML. See https://llmstxt.org.
 *
 * @param folder of the site.
 * @param base of the site's addresses, such as `/`.
 * @param summary one paragraph that says what the library is.
 */
export function writeLlms(folder: string, base: string, summary: string): void {
  const groups = readGroups()
  const list = [`# flashrpc\n\n> ${summary}`]
  const full = [`# flashrpc\n\n> ${summary}`]
  for (const [name, pages] of groups) {
    list.push(`## ${name}\n\n${pages.map((page) => lineOf(page, base)).join('\n')}`)
    for (const { file } of pages) {
      const text = textOf(file, base)
      full.push(text)
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), `${text}\n`)
    }
  }
  writeFileSync(join(folder, 'llms.txt'), `${list.join('\n\n')}\n`)
  writeFileSync(join(folder, 'llms-full.txt'), `${full.join('\n\n---\n\n')}\n`)
}

function lineOf({ file, title }: DocsPage, base: string): string {
  const [, begin = ''] =
    /^(?!#|<|```|\||!|-)(\S[\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(textOf(file, base)) ?? []
  const [sentence = ''] = /^[\s\S]*?[.:](?=\s|$)/.exec(begin) ?? [begin]
  const note = sentence.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return `- [${title}](${base}${file})${note ? `: ${note.replace(/:$/, '.')}` : ''}`
}

/** A page's Markdown, with links that hold from anywhere on the site. */
function textOf(file: string, base: string): string {
  return readFileSync(join(docs, file), 'utf8')
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replaceAll(/^<(?:!--[\s\S]*?-->|ClientOnly>.*)\n+/gm, '')
    .replaceAll(/\]\((?![a-z]+:|#|\/)([^)\s]+)\)/g, (_, link: string) => {
      const target = posix.join(posix.dirname(file), link)
      return target.startsWith('..') ? `](${target.replaceAll('../', '')})` : `](${base}${target})`
    })
    .trim()
}
