import { createHash, randomBytes } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, RpcError } from '@flashrpc/core'
import { createFaultProxy } from '@flashrpc/core/testing'
import type { Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { contract, MAX_DROPPED_BYTES, RPC_PATH } from '../src/contract.ts'
import { startDemo } from './support/demo.ts'
import { demoScene } from './support/demo-scene.ts'
import { dropFiles } from './support/drop-files.ts'

const scene = demoScene()
const { open } = scene

describe('a file that is dropped', () => {
  test('is kept by the server as it is, with others at once, and comes back the same', async () => {
    const page = await open()
    const files = { 'large.bin': randomBytes(3_000_000), 'Grüße.txt': 'Grüße', 'empty.txt': '' }
    await dropFiles(page, files)
    for (const [name, content] of Object.entries(files)) {
      await row(page, name)
        .locator(`[data-dropped-sha256="${sha256(content)}"]`)
        .waitFor()
    }
    await scene.demo.program.prints(/keeps large\.bin \(3000000 bytes\)/)
    for (const [name, content] of Object.entries(files)) {
      const downloading = page.waitForEvent('download')
      await page.getByRole('button', { name: `Download ${name}` }).click()
      const download = await downloading
      expect(download.suggestedFilename()).toBe(name)
      expect(sha256(await readFile(await download.path()))).toBe(sha256(content))
    }
  })

  test.each([
    ['at the top of the page', { width: 1280, height: 900 }, 0],
    ['at its end', { width: 1280, height: 900 }, 10_000],
    ['on a telephone, at the end of the page', { width: 390, height: 844 }, 10_000],
  ])('is seen without scrolling, on its way and afterwards: %s', async (_, viewport, top) => {
    await using proxy = await createFaultProxy({ port: Number(scene.demo.port) })
    const page = await open(proxy.url('http'), { viewport })
    await page.evaluate((to) => window.scrollTo(0, to), top)
    const begun = await page.evaluate(() => window.scrollY)
    proxy.throttle({ up: 1_000_000 })
    await dropFiles(page, { 'photo.raw': 30_000_000 })
    const bar = page.getByRole('progressbar', { name: 'Uploading photo.raw' })
    const share = async () => Number(await bar.getAttribute('value'))
    await expect.poll(share, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(await isSeen(bar)).toBe(true)
    proxy.heal()
    const result = page.locator(`[data-dropped-sha256="${sha256(Buffer.alloc(30_000_000))}"]`)
    await result.waitFor()
    expect(await isSeen(result)).toBe(true)
    expect(await isSeen(page.getByRole('button', { name: 'Download photo.raw' }))).toBe(true)
    // What was in view already has not moved.
    if (top === 0) expect(await page.evaluate(() => window.scrollY)).toBe(begun)
  })

  test('can be chosen by keyboard instead, and hidden again', async () => {
    await writeFile(join(scene.folder, 'chosen.txt'), 'chosen')
    const page = await open()
    const choosing = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Choose files' }).press('Enter')
    await (await choosing).setFiles(join(scene.folder, 'chosen.txt'))
    await row(page, 'chosen.txt')
      .locator(`[data-dropped-sha256="${sha256('chosen')}"]`)
      .waitFor()
    await page.getByRole('button', { name: 'Hide chosen.txt' }).press('Enter')
    await row(page, 'chosen.txt').waitFor({ state: 'detached' })
  })

  test('shows how far it is, ends on the server when it is cancelled, and can be sent again', async () => {
    await using proxy = await createFaultProxy({ port: Number(scene.demo.port) })
    const page = await open(proxy.url('http'))
    proxy.throttle({ up: 500_000 })
    const content = randomBytes(3_000_000)
    await dropFiles(page, { 'slow.bin': content })
    const bar = page.getByRole('progressbar', { name: 'Uploading slow.bin' })
    const share = async () => Number(await bar.getAttribute('value'))
    await expect.poll(share, { timeout: 20_000 }).toBeGreaterThan(0.2)
    expect(await share()).toBeLessThan(1)
    await page.getByRole('button', { name: 'Cancel slow.bin' }).click()
    await row(page, 'slow.bin').getByText('Cancelled').waitFor()
    const [, came] = await scene.demo.program.prints(
      /did not get slow\.bin: (\d+) of 3000000 bytes/,
    )
    expect(Number(came)).toBeLessThan(3_000_000)

    proxy.heal()
    await page.getByRole('button', { name: 'Try again slow.bin' }).click()
    await row(page, 'slow.bin')
      .locator(`[data-dropped-sha256="${sha256(content)}"]`)
      .waitFor()
  })

  test('goes on where it was, both ways, when the connection is lost', async () => {
    await using proxy = await createFaultProxy({ port: Number(scene.demo.port) })
    const page = await open(proxy.url('http'))
    const content = randomBytes(3_000_000)
    const waiting = row(page, 'cut.bin').getByText('Waiting for the connection')

    proxy.cutAfter({ up: 1_500_000, once: true })
    await dropFiles(page, { 'cut.bin': content })
    await waiting.waitFor()
    await row(page, 'cut.bin')
      .locator(`[data-dropped-sha256="${sha256(content)}"]`)
      .waitFor()

    proxy.cutAfter({ down: 1_500_000, once: true })
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download cut.bin' }).click()
    await waiting.waitFor()
    expect(sha256(await readFile(await (await downloading).path()))).toBe(sha256(content))
  })

  test('and is too large, is not sent, and the page says so', async () => {
    const path = join(scene.folder, 'huge.bin')
    await writeFile(path, '')
    await truncate(path, MAX_DROPPED_BYTES + 1)
    const page = await open()
    const choosing = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Choose files' }).click()
    await (await choosing).setFiles(path)
    await row(page, 'huge.bin')
      .getByRole('alert')
      .getByText('Too large: files of 100 MB at the most are kept')
      .waitFor()
    expect(await page.getByRole('button', { name: 'Try again huge.bin' }).count()).toBe(0)
  })

  test('fails with the server’s end, and can be sent to the next one', async () => {
    await using proxy = await createFaultProxy({ port: Number(scene.demo.port) })
    const page = await open(proxy.url('http'))
    proxy.throttle({ up: 500_000 })
    await dropFiles(page, { 'lost.bin': randomBytes(3_000_000) })
    await page.getByRole('progressbar', { name: 'Uploading lost.bin' }).waitFor()
    scene.demo.program.signal('SIGKILL')
    await scene.demo.program.ended
    scene.demo = await startDemo(scene.folder)
    proxy.heal()
    proxy.retarget({ port: Number(scene.demo.port) })
    await row(page, 'lost.bin').getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Try again lost.bin' }).click()
    await scene.demo.program.prints(/keeps lost\.bin \(3000000 bytes\)/)
  })
})

describe('the server, whatever a page says', () => {
  const connect = () =>
    createClient(contract, { url: `ws://127.0.0.1:${scene.demo.port}${RPC_PATH}` })

  test.each([
    [
      'a file too large',
      { name: 'a', bytes: MAX_DROPPED_BYTES + 1 },
      [],
      /bytes: must be 100000000/,
    ],
    ['a path for a name', { name: '../a', bytes: 1 }, ['a'], /name: must be a name/],
    ['more than was announced', { name: 'a', bytes: 1 }, ['ab'], /more than 1 bytes came/],
    ['less than that', { name: 'a', bytes: 2 }, ['a'], /1 instead of 2 bytes came/],
    ['too large a piece', { name: 'a', bytes: 300_000 }, ['a'.repeat(300_000)], /262144 bytes/],
  ])('refuses %s', async (_, params, pieces, message) => {
    await using client = connect()
    const input = pieces.map((piece) => new TextEncoder().encode(piece))
    const error = await client.other.upload(params, { input }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(message) })
  })

  test('keeps so many, and the newest', async () => {
    await using client = connect()
    const ids: number[] = []
    for (let n = 0; n < 21; n++) {
      const kept = await client.other.upload(
        { name: `${n}`, bytes: 1 },
        { input: [Uint8Array.of(n)] },
      )
      ids.push(kept.id)
    }
    const load = async (id: number) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of client.other.download({ id })) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
    await expect(load(ids[0] ?? 0)).rejects.toThrow('no longer kept')
    expect(await load(ids[1] ?? 0)).toEqual(Buffer.of(1))
    expect(await load(ids[20] ?? 0)).toEqual(Buffer.of(20))
  })
})

/** Whether all of an element is on the screen, below the bar on top. */
async function isSeen(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect()
    const bar = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0
    return left >= 0 && right <= window.innerWidth && top >= bar && bottom <= window.innerHeight
  })
}

function row(page: Page, name: string) {
  return page.locator(`.transfer[data-name="${name}"]`)
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
