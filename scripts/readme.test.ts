import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const links = [...readFileSync(new URL('README.md', root), 'utf8').matchAll(/\]\(([^)]+)\)/g)].map(
  ([, target]) => target as string,
)

test('the README links to nothing twice', () => {
  expect(links.filter((link, index) => links.indexOf(link) !== index)).toEqual([])
})

test('the README links to files that exist', () => {
  const files = links.filter((link) => !link.startsWith('https:'))
  expect(files.length).toBeGreaterThan(0)
  expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([])
})
