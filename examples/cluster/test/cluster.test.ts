import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { build, type PreviewServer, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.ts'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.ts'
import { natsProgram, startNats } from '../../../scripts/engine-servers/nats-server.ts'
import { type Cluster, NAMES, startCluster } from '../cluster.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const why = natsProgram.missing ? ` (skipped: ${natsProgram.missing})` : ''

describe.skipIf(natsProgram.missing)(`a page of three nodes${why}`, () => {
  let built: string
  let pages: PreviewServer
  let browser: Browser
  let nats: EngineServer
  let cluster: Cluster

  beforeAll(async () => {
    built = await mkdtemp(join(tmpdir(), 'flashrpc-cluster-'))
    const config = { root: join(folder, 'web'), configFile: join(folder, 'vite.config.ts') }
    await build({ ...config, logLevel: 'error', build: { outDir: built, emptyOutDir: true } })
    pages = await preview({
      ...config,
      build: { outDir: built },
      preview: { port: 0, host: '127.0.0.1' },
    })
    browser = await playwright.launch(await chromium())
    nats = await startNats()
    cluster = await startCluster(nats.address, 0)
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await cluster?.close()
    await nats?.[Symbol.asyncDispose]()
    await pages?.close()
    await rm(built, { recursive: true })
  })

  async function open(): Promise<Page> {
    const page = await browser.newPage()
    const server = `ws://127.0.0.1:${cluster.balancer.port}/ws`
    await page.goto(`${pages.resolvedUrls?.local[0]}?server=${server}`)
    await counting(page)
    return page
  }

  const text = (page: Page, id: string) => page.locator(`#${id}`).textContent()

  /** Waits until a page has counted further. */
  async function counting(page: Page): Promise<void> {
    const before = await text(page, 'count')
    await expect.poll(() => text(page, 'count'), { timeout: 20_000 }).not.toBe(before)
  }

  /** The node that the only connection leads to, as the balancer says; not one of before. */
  async function led(before?: unknown): Promise<{ connection: unknown; through: string }> {
    const only = () => {
      const [[connection, through] = [], ...others] = cluster.balancer.open
      return others.length === 0 && connection !== before ? { connection, through } : undefined
    }
    await expect.poll(() => only()?.through, { timeout: 20_000 }).toBeDefined()
    return only() as { connection: unknown; through: string }
  }

  test('says what the clients of all nodes hear', async () => {
    const three = [await open(), await open(), await open()]
    const nodes = await Promise.all(three.map((page) => text(page, 'node')))
    expect(nodes.toSorted()).toStrictEqual([...NAMES])
    const [one] = three as [Page, Page, Page]
    await one.getByRole('textbox').fill('hello')
    await one.getByRole('button', { name: 'Say' }).click()
    for (const page of three) {
      await page.getByRole('log').getByText(`hello (said on ${nodes[0]})`).waitFor()
    }
    await one.getByRole('log').getByText('3 clients have heard it').waitFor()
    await Promise.all(three.map((page) => page.close()))
    await expect.poll(() => cluster.balancer.open.size).toBe(0)
  })

  test('goes on in its session while connections are cut and nodes are killed', async () => {
    const page = await open()
    const [home, session] = [await text(page, 'node'), await text(page, 'session')]
    const seen = new Set<string>()
    let { connection, through } = await led()
    // Through each of the nodes, and at last through one that is not its session's.
    while (seen.size < NAMES.length || through === home) {
      seen.add(through)
      cluster.balancer.cut()
      ;({ connection, through } = await led(connection))
      await counting(page)
    }
    await cluster.kill(through)
    await led(connection)
    await counting(page)
    expect(await text(page, 'session')).toBe(session)
    expect(await text(page, 'gaps')).toBe('0')
    await cluster.start(through)

    // Its own node is killed: another session, on another node.
    await cluster.kill(home ?? '')
    await page.getByRole('log').getByText('maybe-executed').waitFor()
    await expect.poll(() => text(page, 'session'), { timeout: 20_000 }).not.toBe(session)
    expect(await text(page, 'node')).not.toBe(home)
    await counting(page)
    expect(await text(page, 'gaps')).toBe('0')
    await page.close()
  })
})
