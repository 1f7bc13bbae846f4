import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** The links between the pages of the repository, as GitHub follows them: to files, and to headings by their anchors. */

const root = fileURLToPath(new URL('../', import.meta.url))
const pages = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(root, page)))

const CODE = /^(```+)[\s\S]*?^\1$|`[^`\n]*`/gm
const LINK = /\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$|<(?:img|source)[^>]* src(?:set)?="([^"]+)"/gm

/** What a page says, without its code. */
const proseOf = (page: string) => readFileSync(join(root, page), 'utf8').replaceAll(CODE, '')

/** The anchors of a page's headings. */
function anchorsOf(page: string): Set<string> {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^(```+)[\s\S]*?^\1$/gm, '')
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}

/** Why GitHub would not show what a link promises, or undefined. */
function faultOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : relative(root, join(root, dirname(page), path))
  if (target.startsWith('..') || !existsSync(join(root, target))) return 'no such file'
  if (anchor === undefined || statSync(join(root, target)).isDirectory()) return undefined
  return anchorsOf(target).has(anchor) ? undefined : 'no such heading'
}

test('each link in a page leads to a file, and to a heading if it has an anchor', () => {
  const links = pages.flatMap((page) =>
    [...proseOf(page).matchAll(LINK)].map(([, a, b, c]) => ({ page, link: a ?? b ?? c ?? '' })),
  )
  expect(links.length).toBeGreaterThan(100)
  const faults = links.flatMap(({ page, link }) => {
    const fault = faultOf(page, link)
    return fault === undefined ? [] : [`${page}: ${link}: ${fault}`]
  })
  expect(faults).toEqual([])
})

test('a dead link is found', () => {
  expect(faultOf('README.md', 'docs/guide/nothing.md')).toBe('no such file')
  expect(faultOf('README.md', 'docs/glossary.md#nothing')).toBe('no such heading')
  expect(faultOf('README.md', 'docs/glossary.md#glossary')).toBeUndefined()
})

/** The paths of five pages for new readers, as the guide's README lists them. */
function pathsOf(text: string, line: RegExp): string[][] {
  return [...text.matchAll(line)].map(([path]) =>
    [...path.matchAll(/\]\((?:guide\/)?([^)#]+\.md)\)/g)].map(([, page = '']) => page),
  )
}

test('each page of a path links to the next one, and the home page has the same paths', () => {
  const read = (page: string) => readFileSync(join(root, page), 'utf8')
  const paths = pathsOf(read('docs/guide/README.md'), /^- \*\*.+(?:\n {2}.+)*/gm)
  expect(paths.map(({ length }) => length)).toEqual([5, 5, 5, 5])
  expect(pathsOf(read('docs/index.md'), /^\| .+ · .+ \|$/gm)).toEqual(paths)
  const lost = paths.flatMap((path) =>
    path
      .slice(1)
      .map((next, index) => ({ page: path[index] ?? '', next }))
      .filter(({ page, next }) => !read(`docs/guide/${page}`).includes(`](${next})`)),
  )
  expect(lost).toEqual([])
})

test('each page of the guide ends with links to further pages', () => {
  const guide = pages.filter((page) => page.startsWith('docs/guide/'))
  const ends = guide.map((page) => ({
    page,
    end: proseOf(page)
      .replaceAll(/^\[[^\]]+\]: \S+$/gm, '')
      .trim()
      .split(/\n\s*\n/)
      .at(-1),
  }))
  expect(ends.filter(({ end = '' }) => !/\]\([\w./-]+\.md/.test(end))).toEqual([])
})
