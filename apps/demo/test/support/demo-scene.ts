import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { type OpenPage, openPage, startBrowser } from './browser.ts'
import { buildDemo } from './build.ts'
import { type RunningDemo, startDemo } from './demo.ts'

/** A demo that runs for each test, over a folder of its own, and the pages that the test opens. */
export interface DemoScene {
  readonly folder: string
  /** May be replaced by one that is started later. */
  demo: RunningDemo
  /** Opens a page that shares nothing with others; by default the demo's own. */
  open(address?: string, options?: BrowserContextOptions): Promise<Page>
}

/** Sets a demo up for each test of a file. A test fails where a page of it had an error. */
export function demoScene(): DemoScene {
  let browser: Browser
  let opened: OpenPage[]
  const scene = {
    async open(address = scene.demo.address, options: BrowserContextOptions = {}) {
      const one = await openPage(browser, address, options)
      opened.push(one)
      return one.page
    },
  } as DemoScene & { folder: string }

  beforeAll(async () => {
    await buildDemo()
    browser = await startBrowser()
  }, 180_000)

  afterAll(() => browser?.close())

  beforeEach(async () => {
    scene.folder = await mkdtemp(join(tmpdir(), 'flashrpc-demo-'))
    scene.demo = await startDemo(scene.folder)
    opened = []
  })

  afterEach(async () => {
    const errors = opened.flatMap((one) => one.errors)
    await Promise.all(opened.map(({ page }) => page.context().close()))
    await scene.demo.program[Symbol.asyncDispose]()
    await rm(scene.folder, { recursive: true })
    expect(errors).toEqual([])
  })

  return scene
}
