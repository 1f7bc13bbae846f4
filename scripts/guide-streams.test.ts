import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { type Browser, chromium as playwright } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createViteServer } from 'vitest/node'
import { type Program, startProgram } from '../apps/demo/test/support/program.ts'
import { chromium } from './chromium.ts'
import { GuidePage } from './guide-page.ts'

/** What docs/guide/streams.md shows is run: its server and its client in Node, its page in Chromium. */

const SOURCE = '@flashrpc/source'
const MIB = 1024 * 1024
const URL = "'ws://127.0.0.1:8000'"

let guide: GuidePage
let server: Program
let serverUrl: string
let vite: Awaited<ReturnType<typeof createViteServer>>
let origin: string

function runInNode(file: string): Program {
  return startProgram('--import', ['tsx', '--conditions', SOURCE, file], guide.folder)
}

beforeAll(async () => {
  guide = new GuidePage('docs/guide/streams.md')
  guide.write('contract.ts')
  vite = await createViteServer({
    configFile: false,
    root: guide.folder,
    cacheDir: join(guide.folder, '.vite'),
    logLevel: 'warn',
    resolve: { conditions: [SOURCE, 'browser', 'module', 'import', 'default'] },
    optimizeDeps: { include: ['zod'] },
    server: { host: '127.0.0.1', port: 0, fs: { strict: false }, watch: null },
  })
  await vite.listen()
  origin = vite.resolvedUrls?.local[0]?.replace(/\/$/, '') ?? ''
  guide.write('server.ts', {
    'http://localhost:5173': origin,
    'await endpoint.listen({ port: 8000 })':
      "console.log('listening on', (await endpoint.listen({ port: 0 })).url)",
  })
  server = runInNode('server.ts')
  serverUrl = (await server.prints(/listening on (\S+)/))[1] ?? ''
}, 60_000)

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await vite?.close()
  guide?.[Symbol.dispose]()
})

describe('in Node', () => {
  test('the client takes a stream, sends a large file, and is asked for photos', async () => {
    const size = 5 * MIB + 1
    writeFileSync(join(guide.folder, 'holiday.jpg'), randomBytes(size))
    guide.write('client.ts', { [URL]: `'${serverUrl}'` })
    await using client = runInNode('client.ts')
    expect(await client.ended).toBe(0)
    const counted = Array.from({ length: 11 }, (_, n) => n)
    expect(client.output().trim().split('\n')).toEqual([...counted, size, 'A', 'B'].map(String))
    await server.prints(new RegExp(`nobody listens any more[^]*holiday.jpg ${size}`))
    await server.prints(/^3$/m)
  }, 60_000)

  test('a stream that is cut off goes on from where it was', async () => {
    const endpoint = createEndpoint<{ lines(params: { from: number }): AsyncIterable<string> }>({
      methods: {
        async *lines({ from }) {
          for (let n = from; n < 1_000; n++) yield `line ${n}`
        },
      },
    })
    await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
    const { port } = await endpoint.listen()
    await using proxy = await createFaultProxy({ port })
    proxy.cutAfter({ down: 20_000, once: true })
    guide.write('again.ts', { [URL]: `'${proxy.url()}'` })
    await using client = runInNode('again.ts')
    expect(await client.ended).toBe(0)
    const lines = client.output().trim().split('\n')
    expect(lines.filter((line) => line.startsWith('cut off'))).toEqual([
      expect.stringMatching(/^cut off after (\d+) lines; \1 in all$/),
    ])
    expect(lines.filter((line) => line.startsWith('line'))).toEqual(
      Array.from({ length: 1_000 }, (_, n) => `line ${n}`),
    )
  }, 60_000)
})

describe('in a page', () => {
  const content = randomBytes(20 * MIB)
  let browser: Browser
  let pages = 0

  beforeAll(async () => {
    browser = await playwright.launch({ ...(await chromium()), headless: true })
    writeFileSync(join(guide.folder, 'large.bin'), content)
  }, 60_000)

  afterAll(() => browser?.close())

  /** Opens a page with the sample, which calls this server, and chooses a file of 20 MiB. */
  async function choose(url: string, before = '') {
    // Vite keeps what it has read of a file.
    const file = `page-${++pages}`
    guide.write('page.ts', { [URL]: `'${url}'` }, `${file}.ts`)
    const script = `<script type="module" src="/${file}.ts"></script>`
    writeFileSync(
      join(guide.folder, `${file}.html`),
      `<input type="file" multiple /><output></output>${script}`,
    )
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.addInitScript(before)
    // Once it is loaded, its script has run.
    await page.goto(`${origin}/${file}.html`)
    await page.locator('input').setInputFiles(join(guide.folder, 'large.bin'))
    const text = page.getByText(/large\.bin: /)
    await Promise.race([text.waitFor(), page.waitForEvent('pageerror')])
    expect(errors).toEqual([])
    expect(await text.textContent()).toBe(`large.bin: ${content.length} bytes`)
    await page.close()
  }

  test('a file of 20 MiB is chosen, and the server has it', async () => {
    await choose(serverUrl)
    await server.prints(new RegExp(`large.bin ${content.length}`))
  }, 60_000)

  test.each([
    ['as it is', ''],
    [
      'in a browser that can’t iterate over a web stream',
      'delete ReadableStream.prototype[Symbol.asyncIterator]; delete ReadableStream.prototype.values',
    ],
  ])(
    'the file arrives in order, and no piece is too large: %s',
    async (_, before) => {
      const sizes: number[] = []
      const hash = createHash('sha256')
      const endpoint = createEndpoint<{ upload(params: { name: string }): { size: number } }>({
        allowedOrigins: [origin],
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
      await choose((await endpoint.listen()).url, before)
      expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
      expect(Math.max(...sizes)).toBeLessThanOrEqual(MIB)
    },
    60_000,
  )
})
