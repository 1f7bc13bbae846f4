import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

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
