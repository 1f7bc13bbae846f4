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
