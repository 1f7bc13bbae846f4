import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { blocksOf } from './markdown-blocks.ts'

const root = new URL('../', import.meta.url)
const text = readFileSync(new URL('README.md', root), 'utf8')
const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target as string)
/** The line ahead of a block, and the name of the block's file, which GitHub does not show. */
const NAMED_BLOCK = /^(.*)\n\n```\w+ +(\S+)$/gm

test('the README links to nothing twice', () => {
  expect(links.filter((link, index) => links.indexOf(link) !== index)).toEqual([])
})

test('the README links to files that exist', () => {
  const files = links.filter((link) => !link.startsWith('https:'))
  expect(files.length).toBeGreaterThan(0)
  expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([])
})

test('the line ahead of a block names the block’s file', () => {
  const blocks = [...text.matchAll(NAMED_BLOCK)]
  expect(blocks).toHaveLength([...text.matchAll(/^```\w+ +\S+$/gm)].length)
  expect(blocks.length).toBeGreaterThan(0)
  const unnamed = blocks.filter(([, line, name]) => !line?.includes(`\`${name}\``))
  expect(unnamed.map(([, , name]) => name)).toEqual([])
})

/** Pages that show the README's programs: the README's are run from packages, in an empty folder. */
const QUICK_STARTS = ['quick-start', 'quick-start-react']
const LANGUAGES = ['tsx?', 'json', 'html']

test('the quick starts have the README’s programs', () => {
  const ours = new Map(blocksOf(text, LANGUAGES).map(({ name, code }) => [name, code]))
  const theirs = QUICK_STARTS.flatMap((page) =>
    blocksOf(readFileSync(new URL(`docs/guide/${page}.md`, root), 'utf8'), LANGUAGES),
  )
  expect(new Map(theirs.map(({ name, code }) => [name, code]))).toEqual(ours)
})

test('the home page says a size that holds for each of the README’s', () => {
  const home = readFileSync(new URL('docs/index.md', root), 'utf8')
  const [, most] = /adds less than (\d+) kB to a page/.exec(home) ?? []
  const sizes = [...text.matchAll(/less than (\d+) kB/g)].map(([, size]) => Number(size))
  expect(sizes.length).toBeGreaterThan(0)
  expect(sizes.filter((size) => size > Number(most))).toEqual([])
})
