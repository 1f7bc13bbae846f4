import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OpenPage, openPage, startBrowser } from './support/browser.ts'
import { buildDemo } from './support/build.ts'
import { type RunningDemo, runAsk, runDemo, startDemo } from './support/demo.ts'
import type { Program } from './support/program.ts'

let browser: Browser
let folder: string
let running: Program[]
let opened: OpenPage[]

beforeAll(async () => {
  await buildDemo()
  browser = await startBrowser()
}, 180_000)

afterAll(() => browser?.close())

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashrpc-demo-'))
  running = []
  opened = []
})

afterEach(async () => {
  const errors = opened.flatMap((one) => one.errors)
  await Promise.all(opened.map(({ page }) => page.context().close()))
  await Promise.all(running.map((program) => program[Symbol.asyncDispose]()))
  await rm(folder, { recursive: true })
  expect(errors).toEqual([])
})

async function serve(port?: string): Promise<RunningDemo> {
  const demo = await startDemo(folder, port)
  running.push(demo.program)
  return demo
}

async function open({ address }: RunningDemo): Promise<Page> {
  const one = await openPage(browser, address)
  opened.push(one)
  return one.page
}

function run(program: Program): Program {
  running.push(program)
  return program
}

describe('avatars', () => {
  /** The pages that a page shows as open. */
  const avatars = (page: Page) =>
    page
      .getByRole('list', { name: 'Open now' })
      .getByRole('listitem')
      .evaluateAll((items) => items.map((item) => item.getAttribute('aria-label')))
  const shown = (page: Page) => expect.poll(() => avatars(page), { timeout: 20_000 })
  const ONE = 'Page 1: Chrome on Linux'
  const TWO = 'Page 2: Chrome on Linux'

  test('show which pages are open, as they come and go', async () => {
    const demo = await serve()
    const first = await open(demo)
    await shown(first).toEqual([`${ONE} (this one)`])
    const second = await open(demo)
    await shown(second).toEqual([ONE, `${TWO} (this one)`])
    await shown(first).toEqual([`${ONE} (this one)`, TWO])
    await second.close()
    await shown(first).toEqual([`${ONE} (this one)`])
    await first.locator('.avatars[aria-busy=false]').waitFor()
  })
})

describe('file changes', () => {
  test('are shown as they happen, with what happened and the size', async () => {
    await writeFile(join(folder, 'old.txt'), 'old')
    const page = await open(await serve())
    await page.getByText('Nothing has changed yet').waitFor()

    await writeFile(join(folder, 'new.txt'), 'x'.repeat(1_234))
    const added = page.locator('[data-kind=added][data-path="new.txt"]')
    await added.getByText('1.2 kB').waitFor()

    await writeFile(join(folder, 'old.txt'), 'no longer old')
    await page.locator('[data-kind=changed][data-path="old.txt"]').getByText('13 B').waitFor()

    await rm(join(folder, 'old.txt'))
    await page.locator('[data-kind=removed][data-path="old.txt"]').waitFor()
    // The newest on top.
    expect(await page.locator('.change').first().getAttribute('data-kind')).toBe('removed')
    expect(await page.getByText('Nothing has changed yet').count()).toBe(0)
  })

  test('of dependencies and built files are not shown', async () => {
    await mkdir(join(folder, 'node_modules'))
    await mkdir(join(folder, 'dist'))
    const page = await open(await serve())
    await writeFile(join(folder, 'node_modules/a.js'), 'a')
    await writeFile(join(folder, 'dist/b.js'), 'b')
    await writeFile(join(folder, 'c.js'), 'c')
    await page.locator('[data-path="c.js"]').waitFor()
    expect(await page.locator('.change').count()).toBe(1)
  })

  test('by the hundred are told by the dozen, and say how many are left out', async () => {
    const page = await open(await serve())
    const names = Array.from({ length: 300 }, (_, index) => join(folder, `${index}.txt`))
    await Promise.all(names.map((name) => writeFile(name, 'x')))
    const leftOut = page.getByText(/and \d+ more changes before/).first()
    // Told with the next change that is told.
    const tellNext = async () => {
      await writeFile(join(folder, `${randomBytes(4).toString('hex')}.txt`), 'x')
      return leftOut.count()
    }
    await expect.poll(tellNext, { timeout: 20_000, interval: 100 }).toBeGreaterThan(0)
    expect(await page.locator('.change').count()).toBeLessThanOrEqual(100)
  })
})

test('load and memory arrive, and the chart grows', async () => {
  const page = await open(await serve())
  const line = page.locator('.is-cpu .plot-line')
  const points = async () => (await line.getAttribute('d'))?.split('L').length ?? 0
  await expect.poll(points, { timeout: 20_000 }).toBeGreaterThan(1)
  const before = await points()
  await expect.poll(points, { timeout: 20_000 }).toBeGreaterThan(before)
  expect(await page.locator('.load-cpu dd').textContent()).toMatch(/^\d+ %$/)
  expect(await page.locator('.load-memory dd').textContent()).toMatch(
    /^\d+ %\s*[\d.]+ .?B of [\d.]+ .?B$/,
  )
})

describe('a question', () => {
  test('is asked in the page, and the answer printed', async () => {
    const demo = await serve()
    const page = await open(demo)
    const ask = run(runAsk('Deploy?', '--port', demo.port))
    const dialog = page.getByRole('dialog', { name: 'Deploy?' })
    await dialog.getByRole('button', { name: 'Yes' }).click()
    expect(await ask.ended).toBe(0)
    expect(ask.output()).toContain('page 1 (Chrome on Linux): yes')
    expect(ask.output()).toContain('1 page: 1 yes, 0 no')
    await dialog.waitFor({ state: 'detached' })
  })

  test('goes to every page, and each answer is printed as it comes', async () => {
    const demo = await serve()
    const first = await open(demo)
    const second = await open(demo)
    const ask = run(runAsk('Ship', 'it?', '--port', demo.port))
    await first.getByRole('dialog').waitFor()
    await second.getByRole('dialog', { name: 'Ship it?' }).getByText('No', { exact: true }).click()
    await ask.prints(/^page 2 \(.*\): no$/m)
    expect(ask.output()).not.toContain('page 1')
    await first.getByRole('button', { name: 'Yes' }).click()
    // “No” is an answer: nothing has failed.
    expect(await ask.ended).toBe(0)
    expect(ask.output()).toContain('page 1 (Chrome on Linux): yes')
    expect(ask.output()).toContain('2 pages: 1 yes, 1 no')
  })

  test('waits behind another, can be put aside with Escape, and answered by keyboard', async () => {
    const demo = await serve()
    const page = await open(demo)
    const first = run(runAsk('First?', '--port', demo.port))
    await page.getByRole('dialog', { name: 'First?' }).waitFor()
    const second = run(runAsk('Second?', '--port', demo.port))
    await page.getByText('1 more waits').waitFor()

    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: '2 questions wait' }).click()

    const dialog = page.getByRole('dialog', { name: 'First?' })
    // The focus is on the question: nobody who is typing answers it unread.
    await page.keyboard.press('Enter')
    await dialog.waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await first.ended).toBe(0)
    await page.getByRole('dialog', { name: 'Second?' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await second.ended).toBe(0)
  })

  test('vanishes when whoever asked takes it back', async () => {
    const demo = await serve()
    const page = await open(demo)
    const ask = run(runAsk('Still there?', '--port', demo.port))
    await page.getByRole('dialog').waitFor()
    ask.signal('SIGINT')
    expect(await ask.ended).toBe(1)
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test('has no answer from a page that is closed', async () => {
    const demo = await serve()
    const page = await open(demo)
    const ask = run(runAsk('Bye?', '--port', demo.port))
    await page.getByRole('dialog').waitFor()
    await page.close()
    expect(await ask.ended).toBe(1)
    expect(ask.output()).toContain('page 1 (Chrome on Linux): no answer')
  })

  test('that nobody is there to answer says which page to open', async () => {
    const demo = await serve()
    const ask = run(runAsk('Anybody?', '--port', demo.port))
    expect(await ask.ended).toBe(1)
    expect(ask.output()).toContain(`No page is open: open ${demo.address}`)
  })

  test('to a demo that does not run says how to start it', async () => {
    const ask = run(runAsk('Anybody?', '--port', await freePort()))
    expect(await ask.ended).toBe(1)
    expect(ask.output()).toMatch(/No demo runs on port \d+: start it/)
    expect(ask.output()).not.toMatch(/^\s+at /m)
  })
})

describe('hashing', () => {
  test('shows the hash of the file that was picked, and when it is no longer true', async () => {
    const content = randomBytes(3_000_000)
    await mkdir(join(folder, 'src'))
    await writeFile(join(folder, 'src/large.bin'), content)
    await writeFile(join(folder, 'other.txt'), 'other')
    const page = await open(await serve())
    await page.getByRole('option', { name: 'src/large.bin' }).waitFor()
    await page.getByRole('combobox').fill('large')
    await expect.poll(() => page.getByRole('option').count(), { timeout: 20_000 }).toBe(1)
    await page.getByRole('combobox').press('Enter')
    const hash = page.locator('[data-sha256]')
    await hash.waitFor()
    expect(await hash.getAttribute('data-sha256')).toBe(sha256(content))
    expect(await hash.textContent()).toBe(sha256(content))
    await page.getByText('3.0 MB').first().waitFor()

    await writeFile(join(folder, 'src/large.bin'), 'small now')
    await page.getByRole('button', { name: 'Hash again' }).click()
    await page.locator(`[data-sha256="${sha256('small now')}"]`).waitFor()
  })

  test('of a new file works as soon as it is there', async () => {
    const page = await open(await serve())
    await page.getByText('The folder has no files yet.').waitFor()
    await writeFile(join(folder, 'fresh.txt'), 'fresh')
    await page.getByRole('option', { name: 'fresh.txt' }).click()
    await page.locator(`[data-sha256="${sha256('fresh')}"]`).waitFor()
  })

  test('refuses what is outside of the folder, by path and by link', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'flashrpc-outside-'))
    try {
      const secret = join(outside, 'secret.txt')
      await writeFile(secret, 'secret')
      await symlink(secret, join(folder, 'link.txt'))
      const page = await open(await serve())
      for (const path of [secret, '../secret.txt', 'link.txt']) {
        await page.getByRole('combobox').fill(path)
        await page.getByRole('combobox').press('Enter')
        await page.getByRole('alert').getByText(`${path}: it is outside of the folder`).waitFor()
      }
      await page.getByRole('combobox').fill('missing.txt')
      await page.getByRole('combobox').press('Enter')
      await page.getByRole('alert').getByText('there is no such file').waitFor()
      expect(await page.locator('[data-sha256]').count()).toBe(0)
    } finally {
      await rm(outside, { recursive: true })
    }
  })
})

describe('when the server is killed', () => {
  test('the page counts down to the next attempt, comes back by itself, and says so', async () => {
    const demo = await serve()
    const page = await open(demo)
    demo.program.signal('SIGKILL')
    await page.locator('[data-status=reconnecting]').waitFor()
    await page.getByText(/attempt \d+ in/).waitFor()
    // The same countdown, later, shows less.
    await page.waitForFunction(() => {
      const { document, seen } = globalThis as unknown as {
        document: { querySelector(selector: string): { dataset: { leftMs: string } } | null }
        seen: { at: unknown; left: number }[]
      }
      const at = document.querySelector('[data-left-ms]')
      const left = Number(at?.dataset.leftMs)
      const all = seen ?? []
      Object.assign(globalThis, { seen: at ? [...all, { at, left }] : all })
      return all.some((before) => before.at === at && left > 0 && before.left - left >= 100)
    })

    await serve(demo.port)
    await page.locator('[data-status=connected]').waitFor()
    await page.getByText(/^Back again after \d/).waitFor()
    await writeFile(join(folder, 'afterwards.txt'), 'x')
    await page.locator('[data-path="afterwards.txt"]').waitFor()
    // It is the page that it was.
    await page.getByText('page 1').waitFor()
    const ask = run(runAsk('Back?', '--port', demo.port))
    await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
    expect(await ask.ended).toBe(0)
  })

  test('the person need not wait for the countdown', async () => {
    const demo = await serve()
    const page = await open(demo)
    demo.program.signal('SIGKILL')
    // The waits have become long by then: 8 s.
    await page.getByText(/attempt 4 in/).waitFor()
    await serve(demo.port)
    const left = Number(await page.locator('[data-left-ms]').getAttribute('data-left-ms'))
    const start = performance.now()
    await page.getByRole('button', { name: 'Retry now' }).click()
    await page.locator('[data-status=connected]').waitFor()
    expect(performance.now() - start).toBeLessThan(left)
  })

  test('whoever asked is told, and the question vanishes with the server that asked it', async () => {
    const demo = await serve()
    const page = await open(demo)
    const ask = run(runAsk('Deploy?', '--port', demo.port))
    await page.getByRole('dialog').waitFor()
    demo.program.signal('SIGKILL')
    expect(await ask.ended).toBe(1)
    expect(ask.output()).toContain('the connection was lost')
    // Until then, an answer may still find its way: a lost connection alone ends no question.
    await page.locator('[data-status=reconnecting]').waitFor()
    await page.getByRole('dialog').waitFor()
    await serve(demo.port)
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })
})

describe('through a ReconnectingWebSocket', () => {
  const path = '?socket=reconnecting-websocket'
  const choiceOf = (page: Page) =>
    page.getByRole('checkbox', { name: 'Connect through a ReconnectingWebSocket' })

  test('the page is as live, and comes back when the server is killed', async () => {
    const demo = await serve()
    const page = await open({ ...demo, address: `${demo.address}${path}` })
    expect(await choiceOf(page).isChecked()).toBe(true)
    await writeFile(join(folder, 'before.txt'), 'x')
    await page.locator('[data-path="before.txt"]').waitFor()
    const ask = run(runAsk('Deploy?', '--port', demo.port))
    await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
    expect(await ask.ended).toBe(0)

    demo.program.signal('SIGKILL')
    await page.locator('[data-status=reconnecting]').waitFor()
    await serve(demo.port)
    await page.locator('[data-status=connected]').waitFor()
    await page.getByText(/^Back again after \d/).waitFor()
    await writeFile(join(folder, 'afterwards.txt'), 'x')
    await page.locator('[data-path="afterwards.txt"]').waitFor()
  })

  test('it connects when the person chooses that, and not any more when they choose otherwise', async () => {
    const demo = await serve()
    const page = await open(demo)
    for (const isChosen of [true, false, true]) {
      await choiceOf(page).setChecked(isChosen)
      await page.locator('[data-status=connected]').waitFor()
      expect(new URL(page.url()).search).toBe(isChosen ? path : '')
      const ask = run(runAsk('Still there?', '--port', demo.port))
      await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
      // One page, however it is connected.
      expect(await ask.ended).toBe(0)
    }
  })
})

describe('the command', () => {
  test('says that a port is in use, and what to do', async () => {
    const demo = await serve()
    const other = run(runDemo(folder, '--port', demo.port))
    expect(await other.ended).toBe(1)
    expect(other.output().trim()).toBe(
      `✖ Port ${demo.port} is in use: end what runs there, or take another: --port ${Number(demo.port) + 1}`,
    )
  })

  test('says that a folder is not there, or is a file', async () => {
    const missing = run(runDemo(join(folder, 'missing'), '--port', '0'))
    expect(await missing.ended).toBe(1)
    expect(missing.output()).toMatch(/^✖ There is no folder .*missing: name one that exists/)
    expect(missing.output().trim().split('\n')).toHaveLength(1)
    await writeFile(join(folder, 'file.txt'), 'x')
    const file = run(runDemo(join(folder, 'file.txt'), '--port', '0'))
    expect(await file.ended).toBe(1)
    expect(file.output()).toContain('is a file, not a folder')
  })

  test.each([
    [['--port', 'http'], /"http" is no port/],
    [['--prot', '1'], /Unknown option '--prot'/],
    [['one', 'two'], /Name one folder/],
  ])('says what is wrong with %j', async (args, message) => {
    const program = run(runDemo(...args))
    expect(await program.ended).toBe(1)
    expect(program.output()).toMatch(message)
    expect(program.output().trim().split('\n')).toHaveLength(1)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'ends by itself after %s, pages or not',
    async (signal) => {
      const demo = await serve()
      const page = await open(demo)
      demo.program.signal(signal)
      expect(await demo.program.ended).toBe(0)
      await page.locator('[data-status=reconnecting]').waitFor()
    },
  )
})

test('answers this machine only, by its own names', async () => {
  const { port } = await serve()
  const ask = (headers: Record<string, string>, path = '/ws') =>
    new Promise<number | string>((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, path, headers })
      request.on('response', (response) => resolve(response.resume().statusCode ?? 0))
      request.on('upgrade', (_, socket) => {
        socket.destroy()
        resolve('upgraded')
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') resolve('refused')
        else reject(error)
      })
    })
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
  }
  // A name that somebody else has pointed here.
  const foreign = { Host: `rebound.example:${port}`, Origin: `http://rebound.example:${port}` }
  expect(await ask({ ...upgrade, ...foreign })).toBe(403)
  expect(await ask({ ...upgrade, ...foreign }, '/other')).toBe('refused')
  expect(await ask(foreign)).toBe(403)
  expect(await ask({ ...upgrade, Host: `localhost:${port}` })).toBe('upgraded')
  expect(await ask({ Host: `localhost:${port}` })).toBe(404)
})

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** A port that nobody listens on. */
async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return String(typeof address === 'object' ? address?.port : '')
}
