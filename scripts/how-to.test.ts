import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { docs, readGroups } from '../apps/docs/pages.ts'
import { proseOfMarkdown } from './prose.ts'

/** How many words a page of "How to" has at most, without code, tables, headings and the links at its end: it answers one question. */
const MAX_WORDS = 500

const wordsOf = (markdown: string) =>
  proseOfMarkdown(markdown.replace(/^Next: [\s\S]*/m, ''))
    .flatMap((sentence) => sentence.split(/\s+/))
    .filter((word) => /[\p{L}\p{N}]/u.test(word)).length

test.each(readGroups().get('How to') ?? [])('$title is short', ({ file }) => {
  const words = wordsOf(readFileSync(join(docs, file), 'utf8'))
  expect(words).toBeGreaterThan(50)
  expect(words, `docs/${file}: shorten it, or make two pages of it`).toBeLessThanOrEqual(MAX_WORDS)
})

test('words of code, tables, headings and the links at the end are not counted', () => {
  const end = 'Next: [another page](page.md).\n'
  expect(
    wordsOf(`# A heading\n\nTwo words.\n\n\`\`\`ts\nconst a = 1\n\`\`\`\n\n| a | b |\n\n${end}`),
  ).toBe(2)
})
