import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { docs, readGroups } from './pages.ts'

/** Checks that the site and the guide's README, which GitHub shows, list the same pages: all. */

const index = 'guide/README.md'
const text = readFileSync(join(docs, index), 'utf8')
const linked = new Set(
  [...text.matchAll(/\]\(([^)#]+\.md)/g)].map(([, link = '']) =>
    posix.join(posix.dirname(index), link),
  ),
)
const pages = [...readGroups().values()].flat().map(({ file }) => file)
const lost = pages.filter((file) => !linked.has(file))
assert.deepEqual(lost, [], `docs/${index} links to no page of these`)
console.log(`${pages.length} pages, each in a group of the site and in docs/${index}`)
