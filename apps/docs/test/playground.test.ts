import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { axeFaults, open, visit } from './support/site.ts'

/** The playground of the built site in a real Chromium. */

const PLAYGROUND = 'guide/playground.html'

async function openPlayground(hash = '', options: Parameters<typeof open>[1] = {}) {
  const shown = await open(`${PLAYGROUND}${hash}`, options)
  await editor(shown.page, 'client.ts').waitFor()
  return shown
}

const editor = (page: Page, file: string) => page.getByRole('textbox', { name: file })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** Waits until no program runs. Chromium needs 2 s to end a worker that is in an endless loop. */
const ended = (page: Page) => expect.poll(() => page.workers().length, { timeout: 30_000 }).toBe(0)

/** Waits for a line of the output. */
async function printed(page: Page, side: string, text: string | RegExp): Promise<void> {
  await page.locator(`.line.${side} .text`).filter({ hasText: text }).first().waitFor()
}

const status = (page: Page, text: string) =>
  page.locator('.toolbar').getByRole('status').filter({ hasText: text }).waitFor()

const EXAMPLES: [name: string, lines: [side: string, text: string | RegExp][]][] = [
  [
    'calls',
    [
      ['client', 'Welcome!'],
      ['client', 'Deploy?'],
      ['client', /^15$/],
      ['server', 'The client said yes'],
    ],
  ],
  [
    'streams',
    [
      ['client', /^5$/],
      ['server', 'The client has left the loop'],
      ['client', 'WAYS'],
    ],
  ],
  [
    'validation',
    [
      ['server', 'register Ada, 36'],
      ['client', /^-32602 \{ issues: \[/],
      ['client', /^Uncaught RpcError: .*\n {4}at client\.ts:26 \{ code: -32602/],
    ],
  ],
  [
    'errors',
    [
      ['client', 'All of 2026'],
      ['client', '4004 No such year { year: 3000 }'],
      ['server', /"find" failed: Error: The archive is closed\n\s+at .*server\.ts:\d+/],
      ['client', /^-32603 /],
    ],
  ],
  [
    'cancel',
    [
      ['client', '60 %'],
      ['client', 'cancelled, outcome: maybe-executed'],
      ['server', 'The report of 2025 is not wanted any more'],
      ['client', 'timed out, outcome: maybe-executed'],
      ['server', 'The report of 2026 is not wanted any more'],
    ],
  ],
]

test('runs each example, asks nothing of another host, and stops', async () => {
  await using shown = await openPlayground()
  const { page } = shown
  for (const [name, lines] of EXAMPLES) {
    await page.getByRole('combobox', { name: 'Example' }).selectOption(name)
    await press(page, 'Run')
    await status(page, 'Running')
    for (const [side, text] of lines) await printed(page, side, text)
    await press(page, 'Stop')
    await status(page, 'Not running')
  }
  await ended(page)
  expect(shown.faults).toEqual([])
})

test('an error of the syntax is told at its line, and nothing is run', async () => {
  await using shown = await openPlayground()
  const { page } = shown
  await editor(page, 'server.ts').fill('const one = 1\nconst two = {\n  a: 1\n  b: 2,\n}\n')
  await press(page, 'Run')
  await printed(page, 'page', 'SyntaxError: Unexpected token, expected "," at server.ts:4')
  expect(page.workers()).toEqual([])
  expect(await page.locator('.error-line').allTextContents()).toEqual(['  b: 2,'])
  // Its place leads there.
  await press(page, 'server.ts:4')
  await page.keyboard.type('/**/')
  await page.locator('.cm-line', { hasText: '/**/  b: 2,' }).waitFor()
  expect(await page.locator('.error-line').count()).toBe(0)
  expect(shown.faults).toEqual([])
})

test('an error that only the engine finds is told at its line', async () => {
  await using shown = await openPlayground()
  const { page } = shown
  await editor(page, 'server.ts').fill('const one = 1\n\nconst one = 2\n')
  await press(page, 'Run')
  await printed(page, 'server', /^Uncaught SyntaxError: .*'one'.*\n\s+at server\.ts:3$/)
  expect(shown.faults).toEqual([])
})

test('errors of a program are told at their lines, whichever way they come', async () => {
  await using shown = await openPlayground()
  const { page } = shown
  await editor(page, 'server.ts').fill(
    [
      "import { port } from 'playground'",
      "setTimeout(() => { throw new RangeError('in a timer') })",
      "void Promise.reject(new TypeError('in a promise'))",
      'console.error(String(port), new Map([[1, { deep: [undefined, 2n] }]]))',
      "throw new Error('at the start', { cause: { code: 7 } })",
    ].join('\n'),
  )
  await editor(page, 'client.ts').fill("\nimport { nothing } from './contract.ts'\nnothing()\n")
  await press(page, 'Run')
  await printed(page, 'server', '[object MessagePort] Map(1) { 1 => { deep: [undefined, 2n] } }')
  await printed(page, 'server', /^Uncaught RangeError: in a timer\n\s+at server\.ts:2$/)
  await printed(
    page,
    'server',
    /^Uncaught \(in promise\) TypeError: in a promise\n\s+at server\.ts:3$/,
  )
  await printed(
    page,
    'server',
    /^Uncaught Error: at the start\n\s+at server\.ts:5 \{ cause: \{ code: 7 \} \}$/,
  )
  await printed(
    page,
    'client',
    /"\.\/contract\.ts" does not export "nothing"\. It exports: contract\.\n\s+at client\.ts:3$/,
  )
  await editor(page, 'client.ts').fill("\nimport fs from 'node:fs'\nconsole.log(fs)\n")
  await press(page, 'Run')
  await printed(
    page,
    'client',
    /"node:fs" cannot be imported here.* @flashrpc\/core, .*zod.*\n\s+at client\.ts:2$/,
  )
  expect(shown.faults).toEqual([])
})

test.each([
  ['server.ts', 'server', 'for (;;) {}'],
  ['client.ts', 'client', "for (;;) console.log('again')"],
])(
  'an endless loop in %s does not block the page, and can be stopped',
  async (file, side, loop) => {
    await using shown = await openPlayground()
    const { page } = shown
    await editor(page, file).fill(loop)
    await press(page, 'Run')
    await status(page, `The ${side} does not answer`)
    await press(page, 'Stop')
    await status(page, 'Not running')
    await ended(page)
    await press(page, 'Reset')
    await page.keyboard.press('Escape')
    await editor(page, 'client.ts').press('Control+Enter')
    await printed(page, 'client', /^15$/)
    expect(shown.faults).toEqual([])
  },
)

test('a program that prints more than can be shown is told so, and goes on', async () => {
  await using shown = await openPlayground()
  const { page } = shown
  await editor(page, 'client.ts').fill(
    "for (let n = 1; n <= 2_000; n++) console.log(n)\nsetInterval(() => console.log('goes on'), 100)",
  )
  await press(page, 'Run')
  await printed(page, 'client', /^… 15\d\d more lines, which were too many to show$/)
  await printed(page, 'client', 'goes on')
  expect(await page.locator('.line').count()).toBeLessThanOrEqual(500)
})

test('the address leads to the same programs, which run only when the reader wants it', async () => {
  await using shown = await openPlayground('#example=streams')
  const { page } = shown
  await page.locator('.cm-line', { hasText: 'for await (const n of' }).first().waitFor()
  await editor(page, 'client.ts').fill("console.log('geteilt: äöü 🎉')")
  await page.waitForFunction(() => location.hash.startsWith('#code='))
  const { hash } = new URL(page.url())

  await using other = await openPlayground(hash)
  await other.page.locator('.cm-line', { hasText: 'geteilt: äöü 🎉' }).waitFor()
  expect(await other.page.getByRole('combobox', { name: 'Example' }).inputValue()).toBe('streams')
  expect(other.page.workers()).toEqual([])
  await press(other.page, 'Run')
  await printed(other.page, 'client', 'geteilt: äöü 🎉')
  await press(other.page, 'Reset')
  await other.page.waitForFunction(() => location.hash === '#example=streams')
  expect(await other.page.locator('.line').count()).toBe(0)
  expect([...shown.faults, ...other.faults]).toEqual([])
})

test.each(['#code=AAAA', '#code=%%%', '#example=none'])(
  'an address that cannot be read, %s, is told, and an example is shown',
  async (hash) => {
    await using shown = await openPlayground(hash)
    await shown.page.locator('.notice', { hasText: 'could not be read' }).waitFor()
    await press(shown.page, 'Run')
    await printed(shown.page, 'client', /^15$/)
    expect(shown.faults).toEqual([])
  },
)

test('the programs end with the page', async () => {
  await using shown = await openPlayground()
  const { page } = shown
  await press(page, 'Run')
  await printed(page, 'client', /^15$/)
  expect(page.workers()).toHaveLength(2)
  await page.getByRole('link', { name: 'quick start', exact: true }).click()
  await page.waitForURL(/quick-start/)
  await ended(page)
  expect(shown.faults).toEqual([])
})

test('home and quick start lead to it, and do not load it', async () => {
  await using shown = await open('index.html')
  const { page } = shown
  const loaded: string[] = []
  page.on('request', (request) => loaded.push(request.url()))
  for (const path of ['index.html', 'guide/quick-start.html']) {
    await visit(page, path)
    await page
      .locator('main, [role=main]')
      .getByRole('link', { name: /^playground$/i })
      .first()
      .waitFor()
  }
  await page.waitForLoadState('networkidle')
  expect(loaded.filter((url) => /program-worker|assets\/chunks\/playground\./.test(url))).toEqual(
    [],
  )
  await visit(page, PLAYGROUND)
  await editor(page, 'client.ts').waitFor()
  expect(loaded.filter((url) => /assets\/chunks\/playground\./.test(url))).toHaveLength(1)
})

test.each(['light', 'dark'] as const)(
  'axe finds no fault in %s, on a phone either, and a keyboard leaves each editor',
  async (colorScheme) => {
    await using shown = await openPlayground('', { colorScheme })
    const { page } = shown
    await editor(page, 'server.ts').fill("console.warn('careful')\nthrow new Error('on purpose')\n")
    await press(page, 'Run')
    await printed(page, 'server', 'on purpose')
    await printed(page, 'server', 'careful')
    expect(await axeFaults(page)).toEqual([])
    await editor(page, 'contract.ts').focus()
    for (const label of ['server.ts', 'client.ts', 'Output']) {
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
        label,
      )
    }
    await page.setViewportSize({ width: 375, height: 740 })
    await page.waitForFunction(() => document.documentElement.scrollWidth <= 375)
    expect(await axeFaults(page)).toEqual([])
  },
)
