import { afterAll, beforeAll, expect, test } from 'vitest'
import { GuidePage } from './guide-page.ts'
import { GuideSite } from './guide-site.ts'

/** What the guide shows for readers who come from another library: the programs before and after are run, and print the same. */

let site: GuideSite

beforeAll(async () => {
  site = await GuideSite.open()
})

afterAll(() => site?.[Symbol.asyncDispose]())

/** Runs a server and its client, which ends, and prints what the page says. */
async function run(page: string, prefix: string): Promise<void> {
  await using guide = new GuidePage(`docs/guide/${page}.md`)
  for (const name of guide.blocks.keys()) guide.write(name)
  const { port } = await guide.serve(`${prefix}server.ts`)
  guide.write(`${prefix}client.ts`, { ':8000': `:${port}` })
  const client = guide.run(`${prefix}client.ts`)
  expect(await client.ended).toBe(0)
  expect(client.output()).toBe(guide.text('text'))
}

test.concurrent.each([
  ['from-socket-io', 'before-'],
  ['from-socket-io', ''],
  ['from-trpc', 'before-'],
  ['from-trpc', ''],
  ['from-signalr', ''],
])('%s: %sserver.ts and its client print what the page says', run)

test.concurrent.each(['before-page.ts', 'page.ts'])(
  'from-comlink: %s shows what its worker says',
  async (script) => {
    const guide = site.guide('from-comlink', [
      'before-worker.ts',
      'before-page.ts',
      'contract.ts',
      'worker.ts',
      'page.ts',
    ])
    await using page = await site.show(guide, script, '<body></body>')
    await page.getByText(guide.text('text').trim(), { exact: true }).waitFor()
  },
)
