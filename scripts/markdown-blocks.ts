import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A block of code in a page of the documentation. */
export interface MarkdownBlock {
  readonly language: string
  /** The name of its file, if it has one, as in "```ts contract.ts". */
  readonly name: string | undefined
  readonly code: string
}

/** The blocks of a page that are in one of these languages, in their order. */
export function blocksOf(
  markdown: string,
  languages: readonly string[] = ['tsx?'],
): MarkdownBlock[] {
  const block = new RegExp(
    `^\`\`\`(${languages.join('|')})(?: +(\\S+))?\\n([\\s\\S]*?)^\`\`\`$`,
    'gm',
  )
  return [...markdown.matchAll(block)].map(([, language = '', name, code = '']) => ({
    language,
    name,
    code,
  }))
}

/** The page whose files a page adds to, as in "<!-- with the files of electron.md -->", which readers do not see. */
const WITH = /^<!-- with the files of (\S+\.md) -->$/m

/**
 * The blocks of a page, and after them the named ones of the page whose files it adds to: together they are one program. A name
 * that both pages have is the file of the page itself.
 *
 * @param path of the page's file.
 */
export function blocksWithTheirs(path: string, languages?: readonly string[]): MarkdownBlock[] {
  const markdown = readFileSync(path, 'utf8')
  const own = blocksOf(markdown, languages)
  const [, other] = WITH.exec(markdown) ?? []
  if (other === undefined) return own
  const names = new Set(own.map(({ name }) => name))
  const theirs = blocksWithTheirs(join(dirname(path), other), languages)
  return [...own, ...theirs.filter(({ name }) => name !== undefined && !names.has(name))]
}

/** The package whose dependencies a page's programs import, as in "<!-- with the packages of scripts/guide-electron-trpc -->". */
const PACKAGES = /^<!-- with the packages of (\S+) -->$/m

/**
 * The folder of the packages that the programs of a page import, if they need others than the repository's root has, such as an
 * older version of a library.
 */
export function packagesOf(markdown: string): string | undefined {
  const [, owner] = PACKAGES.exec(markdown) ?? []
  return owner && join(fileURLToPath(new URL('..', import.meta.url)), owner, 'node_modules')
}
