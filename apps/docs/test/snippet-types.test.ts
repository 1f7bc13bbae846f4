import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { SnippetTypes } from '../markdown/snippet-types.ts'
import { docs } from '../pages.ts'

/** A page of this test's own, in a folder that is removed with it. */
function writePage(code: string) {
  const folder = mkdtempSync(join(tmpdir(), 'flashrpc-page-'))
  writeFileSync(join(folder, 'page.md'), `# Page\n\n\`\`\`ts sum.ts\n${code}\`\`\`\n`)
  return {
    page: relative(docs, join(folder, 'page.md')),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

test('each name has its type, and its place', () => {
  using written = writePage(
    '/** Both. */\nexport const sum = 5 + 10\nexport const text = String(sum)\n',
  )
  const { code, nodes } = new SnippetTypes([written.page]).hoversOf(written.page, 'sum.ts')
  expect(code).toMatch(/\)$/)
  expect(nodes).toMatchObject([
    { target: 'sum', text: 'const sum: number', docs: 'Both.', line: 1, character: 13, length: 3 },
    { target: 'text', text: 'const text: string', line: 2 },
    { target: 'String' },
    { target: 'sum', text: 'const sum: number', line: 2, character: 27 },
  ])
})

test('an error of TypeScript is thrown, with its place', () => {
  using written = writePage("\nexport const sum: number = '15'\n")
  expect(() => new SnippetTypes([written.page]).hoversOf(written.page, 'sum.ts')).toThrow(
    /page\.md: sum\.ts, line 2: TS2322: Type 'string' is not assignable to type 'number'/,
  )
})
