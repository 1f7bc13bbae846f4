const BLOCK = /^```(tsx?)(?: +(\S+))?\n([\s\S]*?)^```$/gm

/** A block of TypeScript in a page of the documentation. */
export interface MarkdownBlock {
  readonly language: string
  /** The name of its file, if it has one, as in "```ts contract.ts". */
  readonly name: string | undefined
  readonly code: string
}

/** The blocks of `ts` and `tsx` of a page, in their order. */
export function blocksOf(markdown: string): MarkdownBlock[] {
  return [...markdown.matchAll(BLOCK)].map(([, language = 'ts', name, code = '']) => ({
    language,
    name,
    code,
  }))
}
