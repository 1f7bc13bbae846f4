import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GuidePage } from './guide-page.ts'
import { GuideSite } from './guide-site.ts'

/** The tutorial, as a reader follows it: the programs of each step are started, and its page is used in Chromium. */

const FOLDERS = fileURLToPath(new URL('../examples/tutorial', import.meta.url))

let site: GuideSite

beforeAll(async () => {
  site = await GuideSite.open()
})

afterAll(() => site?.[Symbol.asyncDispose]())

/**
 * Writes the files at the end of a step, and starts its server.
 *
 * @param started the step whose server runs: an earlier one, if the reader forgot to start it again.
 */
async function follow(step: number, started = step) {
  const guide = site.guide(`tutorial-${step}`)
  for (const name of filesOf(guide)) guide.write(name)
  const origin = step > 1 ? { 'http://localhost:5173': site.origin } : {}
  const server = started === step ? guide : site.guide(`tutorial-${started}`, ['contract.ts'])
  const { program, port } = await server.serve('server.ts', origin)
  for (const name of step > 1 ? ['publish.ts', 'main.tsx'] : ['publish.ts']) {
    guide.write(name, { ':8000': `:${port}` })
  }
  /** Starts the server again, at the same port. */
  const restart = async () => {
    guide.write('server.ts', { ...origin, 'port: 8000': `port: ${port}` })
    await guide.run('server.ts').prints(/^listening on /m)
  }
  return { guide, server: program, restart }
}

/** The names of a reader's files, without those of the set-up. */
function filesOf({ blocks }: GuidePage): string[] {
  return [...blocks.keys()].filter((name) => !name.endsWith('.json')).sort()
}

/** Publishes by the script of a step, and gives what it prints. */
async function publish(guide: GuidePage, ...args: string[]): Promise<string> {
  const script = guide.run('publish.ts', ...args)
  expect(await script.ended).toBe(0)
  return script.output()
}

/** Opens the page of a step, which connects. */
async function open(guide: GuidePage): Promise<Page> {
  const page = await site.visit(guide, 'index.html')
  await page.getByText('The connection is connected.').waitFor()
  return page
}

async function logIn(guide: GuidePage, token: string): Promise<Page> {
  const page = await site.visit(guide, 'index.html')
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Log in' }).click()
  return page
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('the folder of step %i has what the text shows', (step) => {
  const guide = site.guide(`tutorial-${step}`)
  const folder = join(FOLDERS, `step-${step}`)
  expect(readdirSync(folder).sort()).toEqual(filesOf(guide))
  for (const name of filesOf(guide)) {
    expect(readFileSync(join(folder, name), 'utf8'), name).toBe(guide.blocks.get(name))
  }
})

test.concurrent('1: a script calls the server', async () => {
  const { guide, server } = await follow(1)
  expect(await publish(guide, 'It works')).toBe('published as number 1\n')
  expect(server.output()).toMatch(/^1: It works$/m)
})

test.concurrent('2: a page shows that it is connected', async () => {
  const { guide } = await follow(2)
  await using _page = await open(guide)
})

test.concurrent('3: every page shows a toast', async () => {
  const { guide } = await follow(3)
  await using one = await open(guide)
  await using two = await open(guide)
  expect(await publish(guide, 'Hello, pages')).toBe('Hello, pages\npublished as number 1\n')
  for (const page of [one, two])
    await page.getByRole('listitem').getByText('Hello, pages').waitFor()
})

test.concurrent('4: the server asks the page that called', async () => {
  const { guide, server } = await follow(4)
  await using page = await open(guide)
  const remove = page.getByRole('button', { name: 'Delete all' })
  await remove.click()
  await page.getByRole('dialog', { name: 'Delete 0 news?' }).getByText('Yes').click()
  await page.getByText('Deleted.').waitFor()
  await server.prints(/^the page says yes$/m)
  await remove.click()
  await page.getByRole('dialog').waitFor()
  expect(await page.getByText('Deleted.').count()).toBe(0)
  await page.getByRole('dialog').getByText('No').click()
  await page.getByText('Kept.').waitFor()
  expect(await page.getByRole('dialog').count()).toBe(0)
})

test.concurrent('4: if the old server still runs, the page says so', async () => {
  const { guide } = await follow(4, 3)
  await using page = await open(guide)
  await page.getByRole('button', { name: 'Delete all' }).click()
  await page.getByRole('alert').getByText('Method not found: "clear"').waitFor()
})

test.concurrent('5: if the old server still runs, the page says so', async () => {
  const { guide } = await follow(5, 4)
  await using page = await open(guide)
  await page.getByRole('button', { name: 'Start the clock' }).click()
  await page.getByRole('alert').getByText('Method not found: "clock"').waitFor()
})

test.concurrent('5: a clock starts, and stops at its source', async () => {
  const { guide, server } = await follow(5)
  await using page = await open(guide)
  await page.getByRole('button', { name: 'Start the clock' }).click()
  await page
    .getByRole('status')
    .getByText(/\d:\d\d/)
    .waitFor()
  expect(server.output()).not.toContain('the clock stops')
  await page.getByRole('button', { name: 'Stop the clock' }).click()
  await server.prints(/^the clock starts\nthe clock stops$/m)
})

test.concurrent('6: a call waits for the server to come back', async () => {
  const { guide, server, restart } = await follow(6)
  await using page = await open(guide)
  server.signal('SIGINT')
  await page.getByText('The connection is reconnecting.').waitFor()
  await page.getByLabel('Text').fill('Still here')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Waiting for the server…').waitFor()
  await restart()
  await page.getByText('Published as number 1.').waitFor()
  await page.getByRole('listitem').getByText('Still here').waitFor()
})

test.concurrent('7: users log in, and one of them is told', async () => {
  const { guide } = await follow(7)
  await using ada = await logIn(guide, 'token-of-ada')
  await using bob = await logIn(guide, 'token-of-bob')
  for (const page of [ada, bob]) await page.getByText('The connection is connected.').waitFor()
  await ada.getByLabel('Text').fill('Lunch?')
  await ada.getByLabel('To').fill('bob')
  await ada.getByRole('button', { name: 'Publish' }).click()
  await bob.getByRole('listitem').getByText('ada says: Lunch?').waitFor()
  expect(await publish(guide, 'Now', 'bob')).toBe('published as number 2\n')
  await bob.getByRole('listitem').getByText('ada says: Now').waitFor()
  // What goes to everybody comes after what was for Bob, who alone has heard that.
  expect(await publish(guide, 'All')).toBe('ada says: All\npublished as number 3\n')
  await ada.getByRole('listitem').getByText('ada says: All').waitFor()
  expect(await ada.getByRole('listitem').count()).toBe(1)
  await using nobody = await logIn(guide, 'token-of-eve')
  await nobody.getByText(/^The connection is unauthorized\..*Nobody has this token/).waitFor()
})

test.concurrent('8: errors say what became of the call', async () => {
  const { guide, server } = await follow(8)
  await using page = await logIn(guide, 'token-of-ada')
  await page.getByText('The connection is connected.').waitFor()
  expect(await publish(guide, 'Lunch?', 'eve')).toBe('eve is not here (code 4004)\n')
  await page.getByLabel('Text').fill('Lunch?')
  await page.getByLabel('To').fill('eve')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByRole('alert').getByText('eve is not here (code 4004)').waitFor()
  server.signal('SIGINT')
  await page.getByText('The connection is reconnecting.').waitFor()
  await page.getByLabel('Text').fill('Lunch?')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByRole('alert').getByText('It was not published. Try again.').waitFor()
})

test.concurrent('8: if the token is wrong, the error of a call says so', async () => {
  const { guide } = await follow(8)
  await using page = await logIn(guide, 'token-of-eve')
  await page.getByText(/^The connection is unauthorized\./).waitFor()
  await page.getByLabel('Text').fill('Lunch?')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByRole('alert').getByText('Nobody has this token').waitFor()
})
