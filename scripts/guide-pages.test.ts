import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { GuidePage } from './guide-page.ts'
import { GuideSite } from './guide-site.ts'

/** What the guide shows of pages is run in Chromium, against the servers that the guide shows beside it. */

const MIB = 1024 * 1024
const SERVER = 'ws://127.0.0.1:8000/ws'

let site: GuideSite

beforeAll(async () => {
  site = await GuideSite.open()
})

afterAll(() => site?.[Symbol.asyncDispose]())

/** Starts the server that the guide shows, which lets this site's pages in. */
async function serve(guide: GuidePage, origin = 'http://localhost:5173') {
  const { program, port } = await guide.serve('server.ts', { [origin]: site.origin })
  return { program, url: `ws://127.0.0.1:${port}/ws` }
}

/** Shows an element of React in a page; `imports` are those of the script. */
function render(guide: GuidePage, imports: string, element: string): Promise<Page> {
  const file = `main-${element.replaceAll(/\W/g, '')}.tsx`
  const script = `import { createRoot } from 'react-dom/client'
${imports}
createRoot(document.body).render(${element})`
  writeFileSync(join(guide.folder, file), script)
  return site.show(guide, file)
}

test.concurrent('quick start: a page calls its server, and the server calls it', async () => {
  const guide = site.guide('quick-start-react', ['contract.ts'])
  const { program, url } = await serve(guide)
  guide.write('main.tsx', { [SERVER]: url })
  await using page = await site.browser.newPage()
  const asked: string[] = []
  page.on('dialog', (dialog) => {
    asked.push(dialog.message())
    void dialog.accept()
  })
  await site.show(guide, 'main.tsx', '<div id="root"></div>', page)
  await page.getByText('connected. Welcome!').waitFor()
  await program.prints(/^yes$/m)
  await page.getByRole('button', { name: '5 + 10' }).click()
  await page.getByRole('button', { name: '5 + 10 = 15' }).waitFor()
  expect(asked).toEqual(['Deploy?'])
})

test.concurrent('authentication: a page shows a token', async () => {
  const guide = site.guide('authentication', ['contract.ts', 'users.ts'])
  const { url } = await serve(guide)
  guide.write('page.ts', { [SERVER]: url })
  await using page = await site.show(guide, 'page.ts', '<body></body>')
  await page.getByText('Bob', { exact: true }).waitFor()
})

describe('react', () => {
  const files = ['contract.ts', 'sum.tsx', 'report.tsx', 'ticks.tsx', 'questions.tsx', 'status.tsx']
  const imports = `import { Sum } from './sum.tsx'
import { Report } from './report.tsx'
import { Ticks } from './ticks.tsx'
import { Questions } from './questions.tsx'
import { Status } from './status.tsx'`
  const children = '<Sum /><Report /><Ticks /><Questions /><Status />'

  test.concurrent.each([
    ['App', 'app.tsx', '<App token="secret">'],
    ['Providers', 'providers.tsx', '<Providers>'],
  ])('each hook does what the guide says, in %s', async (name, file, begin) => {
    const guide = site.guide('react', files)
    const { program, url } = await serve(guide)
    guide.write(file, { [SERVER]: url })
    await using page = await render(
      guide,
      `${imports}\nimport { ${name} } from './${file}'`,
      `${begin}${children}</${name}>`,
    )
    await page.getByText('connected', { exact: true }).waitFor()
    await program.prints(/^[0-9a-f]{32} can be asked$/m)
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('button', { name: '15' }).waitFor()
    await page.getByText(/^streaming: \d+, of \d+$/).waitFor()
    await page.getByRole('button', { name: 'Make the report' }).click()
    const dialog = page.getByRole('dialog').filter({ hasText: 'Report of 2026?' })
    await dialog.waitFor()
    expect(await page.locator('progress').getAttribute('value')).toBe('50')
    await dialog.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('The report of 2026', { exact: true }).waitFor()
    // The next one is given up; the report stays.
    await page.getByRole('button', { name: 'Make the report' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.locator('progress').waitFor({ state: 'detached' })
    await page.getByText('The report of 2026', { exact: true }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.close()
    await program.prints(/^[0-9a-f]{32} can not$/m)
  })

  test.concurrent('hooks that are bound to a contract call its server', async () => {
    const guide = site.guide('react', ['contract.ts'])
    const { url } = await serve(guide)
    guide.write('bound.tsx', { 'ws://localhost:8000/ws': url })
    await using page = await render(guide, "import { Bound } from './bound.tsx'", '<Bound />')
    const sent = page
      .waitForEvent('websocket')
      .then((socket) =>
        socket.waitForEvent('framereceived', ({ payload }) =>
          String(payload).includes('"result":3'),
        ),
      )
    await page.getByRole('button', { name: 'Add' }).click()
    await sent
  })
})

describe('recipes for React', () => {
  /** Opens a page with the questions, and has it deploy both apps. */
  async function deployBoth(replaced: Readonly<Record<string, string>> = {}): Promise<Page> {
    const guide = site.guide('react-questions', ['contract.ts', 'questions.tsx'])
    const { port } = await guide.serve('server.ts', {
      'http://localhost:5173': site.origin,
      ...replaced,
    })
    guide.write('app.tsx', { [SERVER]: `ws://127.0.0.1:${port}/ws` })
    const page = await render(guide, "import { App } from './app.tsx'", '<App />')
    await page.getByRole('button', { name: 'Deploy both' }).click()
    return page
  }

  test.concurrent('questions: two at once are answered one after the other', async () => {
    await using page = await deployBoth()
    await page.getByRole('dialog', { name: 'Deploy shop?' }).getByText('Yes').click()
    await page.getByRole('dialog', { name: 'Deploy blog?' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('shop is deployed, blog stays as it is', { exact: true }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test.concurrent('questions: they close if the server no longer waits for them', async () => {
    await using page = await deployBoth({ 'timeout: 60_000': 'timeout: 1_000' })
    await page.getByText(/nobody has answered for shop/).waitFor()
    await page.getByText(/nobody has answered for blog/).waitFor()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test.concurrent('a live list: a page has the changes of others, also those that it missed', async () => {
    const guide = site.guide('react-live-list', ['contract.ts'])
    const { url } = await serve(guide)
    await using proxy = await createFaultProxy({ port: Number(new URL(url).port) })
    guide.write('tasks.tsx', { [SERVER]: proxy.url('ws', '/ws') })
    await using page = await render(guide, "import { App } from './tasks.tsx'", '<App />')
    guide.write('tasks.tsx', { [SERVER]: url }, 'other.tsx')
    await using other = await render(guide, "import { App } from './other.tsx'", '<App key="2" />')
    const checked = (shown: Page, text: string) =>
      shown.locator('label', { hasText: text }).locator(':checked').waitFor()

    await page.getByLabel('Buy bread').waitFor()
    await other.getByLabel('Buy bread').click()
    await checked(page, 'Buy bread')

    proxy.refuse()
    proxy.reset()
    await page.locator('ul[aria-busy=true]').waitFor()
    await other.getByLabel('Call Ada').click()
    await checked(other, 'Call Ada')
    expect(await page.getByLabel('Call Ada').isChecked()).toBe(false)
    proxy.accept()
    await checked(page, 'Call Ada')
    expect(await page.getByLabel('Buy bread').isChecked()).toBe(true)
  })

  test.concurrent('a banner: it tells of a lost connection, and connects', async () => {
    const endpoint = createEndpoint({ methods: {}, allowedOrigins: [site.origin] })
    await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
    const { port } = await endpoint.listen({ path: '/ws' })
    await using proxy = await createFaultProxy({ port })
    const guide = site.guide('react-banner', ['banner.tsx'])
    guide.write('app.tsx', {
      // It waits long, so that the button is what connects.
      [`"${SERVER}"`]: `"${proxy.url('ws', '/ws')}" retry={{ minDelayMs: 1e6, maxDelayMs: 1e6 }}`,
    })
    const imports = `import { useRpcState } from '@flashrpc/react'
import { App } from './app.tsx'
const Status = () => <output>{useRpcState(({ status }) => status)}</output>`
    await using page = await render(guide, imports, '<App><Status /></App>')
    const status = (text: string) => page.locator('output', { hasText: text }).waitFor()
    await status('connected')
    expect(await page.getByRole('button').count()).toBe(0)

    proxy.refuse()
    proxy.reset()
    const connectNow = page.getByRole('button', { name: 'Connect now' })
    await page.getByText(/Next attempt in \d+ s\./).waitFor()
    const { refused } = proxy
    await connectNow.click()
    await vi.waitFor(() => expect(proxy.refused).toBeGreaterThan(refused), 10_000)
    proxy.accept()
    await connectNow.click()
    await status('connected')
    expect(await page.getByRole('button').count()).toBe(0)

    for (const channel of endpoint.channels) channel.close(4401, 'Your login has ended')
    await page.getByText(/Please log in again\..*Your login has ended/).waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await status('connected')
  })
})

test.concurrent('query: an order is shown, sent, and shown anew when the server notifies', async () => {
  const guide = site.guide('query', ['contract.ts'])
  const { url } = await serve(guide)
  guide.write('app.tsx', { 'ws://localhost:8000/ws': url })
  const imports = "import { App } from './app.tsx'"
  await using page = await render(guide, imports, '<App />')
  await using other = await render(guide, imports, '<App />')
  await other.getByRole('button', { name: 'open 21' }).waitFor()
  await page.getByRole('button', { name: 'open 21' }).click()
  await page.getByRole('button', { name: 'sent 21' }).waitFor()
  await other.getByRole('button', { name: 'sent 21' }).waitFor()
})

test.concurrent('tabs: two tabs have one connection', async () => {
  const guide = site.guide('tabs', ['rpc.worker.ts'])
  const endpoint = createEndpoint({ methods: {}, allowedOrigins: [site.origin] })
  await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
  const { url } = await endpoint.listen({ path: '/ws' })
  guide.write('app.tsx', { [SERVER]: url })
  writeFileSync(
    join(guide.folder, 'main.tsx'),
    `import { useRpcState } from '@flashrpc/react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
const Status = () => <p>{useRpcState(({ status }) => status)}</p>
createRoot(document.body).render(<App token="secret"><Status /></App>)`,
  )
  const context = await site.browser.newContext()
  await using _context = { [Symbol.asyncDispose]: () => context.close() }
  for (let tab = 0; tab < 2; tab++) {
    const page = await site.show(guide, 'main.tsx', '<body></body>', await context.newPage())
    await page.getByText('connected', { exact: true }).waitFor()
  }
  expect(endpoint.channels.size).toBe(1)
})

test.concurrent('devtools: a button opens the panel', async () => {
  const guide = site.guide('devtools')
  const endpoint = createEndpoint({ methods: {}, allowedOrigins: [site.origin] })
  await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
  guide.write('app.tsx', { 'ws://localhost:8000/ws': (await endpoint.listen()).url })
  await using page = await render(guide, "import { App } from './app.tsx'", '<App>App</App>')
  await page.getByRole('button').click()
  await page.getByRole('tab', { name: 'Calls' }).waitFor()
})

test.concurrent('upload: a page shows how much of a file the server has, and cancels', async () => {
  const guide = site.guide('upload', ['contract.ts'])
  const { url } = await serve(guide)
  guide.write('upload.ts', { [SERVER]: url })
  writeFileSync(join(guide.folder, 'large.bin'), randomBytes(3 * MIB))
  const body =
    '<input type="file" /><progress max="100"></progress><button></button><output></output>'
  await using page = await site.show(guide, 'upload.ts', body)
  await page.locator('input').setInputFiles(join(guide.folder, 'large.bin'))
  await page.getByText(`large.bin: ${3 * MIB} bytes`).waitFor()
  expect(await page.locator('progress').getAttribute('value')).toBe('100')
  // A file that never ends, until the button is pressed.
  await page.evaluate(() => {
    File.prototype.stream = () =>
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1)) })
  })
  await page.locator('input').setInputFiles([])
  await page.locator('input').setInputFiles(join(guide.folder, 'large.bin'))
  await page.waitForFunction(() => document.querySelector('progress')?.value === 0)
  await page.locator('button').click()
  await page.getByText('Cancelled').waitFor()
})

describe('streams', () => {
  const content = randomBytes(20 * MIB)

  /** Opens a page with the sample, which calls this server, and chooses a file of 20 MiB. */
  async function choose(guide: GuidePage, url: string, before = '') {
    guide.write('page.ts', { 'ws://127.0.0.1:8000': url })
    writeFileSync(join(guide.folder, 'large.bin'), content)
    await using page = await site.browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.addInitScript(before)
    // Once it is loaded, its script has run.
    await site.show(guide, 'page.ts', '<input type="file" multiple /><output></output>', page)
    await page.locator('input').setInputFiles(join(guide.folder, 'large.bin'))
    const text = page.getByText(/large\.bin: /)
    await Promise.race([text.waitFor(), page.waitForEvent('pageerror')])
    expect(errors).toEqual([])
    expect(await text.textContent()).toBe(`large.bin: ${content.length} bytes`)
  }

  test.concurrent('a file of 20 MiB is chosen, and the server has it', async () => {
    const guide = site.guide('streams', ['contract.ts'])
    const { program, url } = await serve(guide)
    await choose(guide, url.replace('/ws', ''))
    await program.prints(new RegExp(`large.bin ${content.length}`))
  })

  test.concurrent.each([
    ['as it is', ''],
    [
      'in a browser that can’t iterate over a web stream',
      'delete ReadableStream.prototype[Symbol.asyncIterator]; delete ReadableStream.prototype.values',
    ],
  ])('the file arrives in order, and no piece is too large: %s', async (_, before) => {
    const sizes: number[] = []
    const hash = createHash('sha256')
    const endpoint = createEndpoint<{ upload(params: { name: string }): { size: number } }>({
      allowedOrigins: [site.origin],
      methods: {
        async upload(_, { input }) {
          for await (const piece of input as AsyncIterable<Uint8Array>) {
            sizes.push(piece.length)
            hash.update(piece)
          }
          return { size: sizes.reduce((a, b) => a + b) }
        },
      },
    })
    await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
    await choose(site.guide('streams', ['contract.ts']), (await endpoint.listen()).url, before)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MIB)
  })
})
