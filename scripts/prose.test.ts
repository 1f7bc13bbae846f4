import { expect, test } from 'vitest'
import { faultsOf, proseOfErrors, proseOfMarkdown } from './prose.ts'

const rulesOf = (sentence: string) => faultsOf([sentence]).map(({ rule }) => rule)

test.each([
  ['It stops; it goes on.', 'semicolon'],
  ['Where it is behind a proxy, set this.', '"where" for a condition'],
  ['The call is given up.', '"give up" in place of "cancel"'],
  ['It shall end.', '"shall"'],
  ['Who comes back is checked.', '"who" as a subject'],
  ['Whatever it throws is logged.', '"whoever" or "whatever"'],
  ['What arrives is validated.', '"what" as a subject'],
  ['It is no function.', 'a negated noun'],
  ['Calls made meanwhile wait.', '"meanwhile"'],
  ['The value, …', 'a continued sentence'],
  [`${'word '.repeat(29).trim()}.`, '29 words'],
])('finds the fault of: %s', (sentence, rule) => {
  expect(rulesOf(sentence)).toContain(rule)
})

test.each([
  'If your reverse proxy runs on another machine, set this to Infinity.',
  'Who calls?',
  'Calls made while disconnected wait for the connection.',
  'There is no such method.',
  `${'word '.repeat(28).trim()}.`,
])('lets pass: %s', (sentence) => {
  expect(rulesOf(sentence)).toEqual([])
})

test('the prose of a page is what stands outside of code, tables, headings and comments', () => {
  const page = `# Title; a

<!-- with; this -->

One [link](page.md#a;b) and \`code;\`. Two.

- An item

| a; b |
|---|

\`\`\`ts name.ts
const a = 1;
\`\`\`
`
  expect(proseOfMarkdown(page)).toEqual(['One link and CODE.', 'Two.', 'An item'])
})

test('the prose of a program is the texts of its errors', () => {
  const program = `const a = 'x; y'
throw new RpcConfigError(\`url is not valid: "\${url}". Write ws://host.\`)
throw new RpcError(4004, 'No such note; look')`
  expect(proseOfErrors(program)).toEqual([
    'url is not valid: "CODE".',
    'Write ws://host.',
    'No such note; look',
  ])
})
