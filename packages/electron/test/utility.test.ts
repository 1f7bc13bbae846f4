import { EventEmitter } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyClient, createClient, RpcDisconnectedError } from '@flashrpc/core'
import { utilityTransport } from '@flashrpc/electron/main'
import { serveUtility } from '@flashrpc/electron/utility'
import type { UtilityProcess } from 'electron'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { bundle } from './support/bundle.js'
import { startDesktop, type TestOptions } from './support/desktop.js'
import { eventually } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { service } from './support/service.js'

let desktop: Awaited<ReturnType<typeof startDesktop>>
let folder: string
let program: string
let children: UtilityProcess[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashrpc-utility-'))
  program = join(folder, 'service.mjs')
  await writeFile(program, await bundle('./service-process.ts', 'node'))
  const script = await bundle('./service-page.ts')
  children = []
  desktop = await startDesktop((request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/service-page.js') {
      return new Response(script, { headers: { 'Content-Type': 'text/javascript' } })
    }
    if (pathname !== '/piped') return undefined
    const html =
      '<!doctype html><title>piped</title><script type="module" src="/service-page.js"></script>'
    return new Response(html, { headers: { 'Content-Type': 'text/html' } })
  })
}, 60_000)
afterEach(async () => {
  await desktop.reset()
  for (const child of children.splice(0)) child.kill()
})
afterAll(async () => {
  await desktop?.bench.close()
  await rm(folder, { recursive: true })
})

function fork(): UtilityProcess {
  const child = desktop.bench.electron.utilityProcess.fork(program) as unknown as UtilityProcess
  children.push(child)
  return child
}

/** A window whose page talks to a utility process. */
async function pipe(options: TestOptions = {}) {
  const host = desktop.host(options)
  const child = fork()
  const window = new desktop.bench.electron.BrowserWindow({
    webPreferences: { preload: desktop.preload },
  })
  const remove = host.pipe(window, child, 'db')
  await window.loadURL('app://demo/piped')
  return { host, child, window, page: await desktop.bench.page(window), remove }
}

describe('a page and a utility process, past main', () => {
  test('a navigation ends the connection there, whatever the port says', async () => {
    const host = desktop.host()
    const child = fork()
    const posted: { flashrpc?: string; id?: number; code?: number; reason?: string }[] = []
    const { postMessage } = child
    child.postMessage = (message, transfer) => {
      posted.push(message as object)
      postMessage.call(child, message, transfer)
    }
    const window = new desktop.bench.electron.BrowserWindow({
      webPreferences: { preload: desktop.preload },
    })
    host.pipe(window, child, 'db')
    await window.loadURL('app://demo/piped')
    const page = await desktop.bench.page(window)
    await page.evaluate(() => piped.db.other.pid())
    const [first] = posted
    expect(posted).toMatchObject([{ flashrpc: 'connect', id: expect.any(Number) }])
    await window.loadURL('app://demo/blank')
    await eventually(() =>
      expect(posted.at(-1)).toEqual({
        flashrpc: 'gone',
        id: first?.id,
        code: 1001,
        reason: 'The page has gone',
      }),
    )
    await window.loadURL('app://demo/piped')
    await eventually(() => expect(posted).toHaveLength(3))
    window.destroy()
    await eventually(() =>
      expect(posted.at(-1)).toMatchObject({ flashrpc: 'gone', reason: 'The window is gone' }),
    )
    expect(posted).toHaveLength(4)
  })

  test('the process ends what main says is gone, and nothing else', async () => {
    const child = fork()
    const { MessageChannelMain } = desktop.bench.electron
    const connect = (id: number) => {
      const { port1, port2 } = new MessageChannelMain()
      const heard: unknown[] = []
      port1.on('message', ({ data }) => heard.push(data))
      port1.start()
      const handOver = { flashrpc: 'connect', v: 1, name: 'db', id, identity: {} }
      child.postMessage(handOver, [port2 as never])
      return heard
    }
    const [first, second] = [connect(1), connect(2)]
    await eventually(() => {
      expect(first).toEqual([{ flashrpc: 'accepted' }])
      expect(second).toEqual([{ flashrpc: 'accepted' }])
    })
    child.postMessage({ flashrpc: 'gone', id: 7, code: 1001, reason: 'Nobody' })
    child.postMessage({ flashrpc: 'gone', id: 1, code: 1001, reason: 'The page has gone' })
    await eventually(() =>
      expect(first.at(-1)).toEqual({ flashrpc: 'close', code: 1001, reason: 'The page has gone' }),
    )
    expect(second).toHaveLength(1)
  })

  test('is told what the process can be called for, where the process tells', async () => {
    const { page } = await pipe()
    expect(await page.evaluate(() => piped.discover('db'))).toContain('whoAmI')
  })

  test('call each other, in another process', async () => {
    const { host, child, page } = await pipe()
    expect(await page.evaluate(() => piped.db.other.pid())).toBe(child.pid)
    expect(child.pid).not.toBe(process.pid)
    expect(await page.evaluate(() => piped.db.other.askBack())).toBe('piped')
    const reversed = await page.evaluate(async () => [
      ...(await piped.db.other.reverse({ bytes: new Uint8Array([1, 2, 3]) })),
    ])
    expect(reversed).toEqual([3, 2, 1])
    // Main is not in between.
    expect(host.channels.size).toBe(0)
  })

  test('a reload is piped again', async () => {
    const { child, page } = await pipe()
    await page.evaluate(() => piped.db.connect())
    await page.reload()
    expect(await page.evaluate(() => piped.db.other.pid())).toBe(child.pid)
    expect(await page.evaluate(() => piped.db.other.tellAll({ text: 'one' }))).toBe(1)
  })

  test('the process knows who a page is: its frame, or what identify says', async () => {
    const { page } = await pipe()
    expect(await page.evaluate(() => piped.db.other.whoAmI())).toMatchObject({
      frame: { origin: 'app://demo', isMainFrame: true, url: 'app://demo/piped' },
    })
    await desktop.reset()
    const named = await pipe({ identify: (() => ({ user: 'Ada' })) as never })
    expect(await named.page.evaluate(() => piped.db.other.whoAmI())).toEqual({ user: 'Ada' })
  })

  test('sees who else is in a group of the process, main too', async () => {
    const { child, page } = await pipe()
    const seen = page.evaluate(async () => {
      const told: unknown[] = []
      for await (const item of (piped.db as AnyClient).stream('rpc.members', { group: 'room' })) {
        told.push(item)
        if (told.length === 2) break
      }
      return told
    })
    await page.evaluate(() => piped.db.connect())
    const { MessageChannelMain } = desktop.bench.electron
    const own = { isConnected: true, info: { isMain: false }, methods: ['title', 'told'] }
    await using main = createClient(service, {
      transport: utilityTransport(child, { MessageChannelMain: MessageChannelMain as never }),
    })
    await main.connect()
    expect(await seen).toEqual([
      { all: [{ id: expect.any(String), ...own }], unreached: [] },
      {
        on: [{ id: main.state.sessionId, isConnected: true, info: { isMain: true }, methods: [] }],
      },
    ])
  })

  test('an identity that cannot be cloned refuses the page, and main does not throw', async () => {
    const refused = vi.fn()
    const host = desktop.host({ identify: (() => ({ f: () => {} })) as never })
    host.on('refused', refused)
    const window = new desktop.bench.electron.BrowserWindow({
      webPreferences: { preload: desktop.preload },
    })
    host.pipe(window, fork(), 'db')
    await window.loadURL('app://demo/piped')
    await eventually(() =>
      expect(refused).toHaveBeenCalledWith(
        expect.objectContaining({ code: 1011, reason: expect.stringMatching(/handed on to "db"/) }),
      ),
    )
  })

  test('a page that is not allowed does not get there', async () => {
    const { page } = await pipe({ allow: ['app://other'] })
    await eventually(async () =>
      expect(await page.evaluate(() => piped.db.state.lastError?.message)).toBe(
        "The origin app://demo is not in allow. To let it in, add this line to the options: allow: ['app://demo']",
      ),
    )
  })

  test('when the process is killed, calls end, and another takes its place', async () => {
    const { host, window, child, page } = await pipe()
    const cut = page.evaluate(() =>
      piped.db.other.never().catch(({ name, outcome }) => ({ name, outcome })),
    )
    await page.evaluate(() => piped.db.other.pid())
    child.kill()
    expect(await cut).toEqual({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    await eventually(async () =>
      expect(await page.evaluate(() => piped.db.state.lastError?.message)).toMatch(
        /The process behind "db" has ended/,
      ),
    )
    const second = fork()
    host.pipe(window, second, 'db')
    const pid = await page.evaluate(() => piped.db.other.pid())
    expect(pid).toBe(second.pid)
  })

  test('a pipe that is taken away is refused to the next page', async () => {
    const { page, remove } = await pipe()
    await page.evaluate(() => piped.db.connect())
    remove()
    expect(await page.evaluate(() => piped.db.other.pid())).toBeTypeOf('number')
    await page.reload()
    await eventually(async () =>
      expect(await page.evaluate(() => piped.db.state.lastError?.message)).toMatch(
        /Main has nothing of the name "db" for this window/,
      ),
    )
  })

  test('wrong pipes are refused where they are made', async () => {
    const { host, window, child } = await pipe()
    expect(() => host.pipe(window, child, 'db')).toThrow(/has a pipe "db" already/)
    expect(() => host.pipe(window, child, 'default')).toThrow(/is the host's own name/)
    expect(() => host.pipe(window, child, '')).toThrow(/1 to 64 characters/)
    window.destroy()
    expect(() => host.pipe(window, child, 'other')).toThrow(/window is gone/)
  })
})

describe('main and a utility process', () => {
  const { stringify } = JSON

  test('call each other; other messages of theirs pass by', async () => {
    const { MessageChannelMain } = desktop.bench.electron
    const child = fork()
    const heard: unknown[] = []
    child.on('message', (message) => heard.push(message))
    const told: string[] = []
    await using client = createClient(service, {
      transport: utilityTransport(child, { MessageChannelMain: MessageChannelMain as never }),
      methods: { title: () => 'main', told: ({ text }) => told.push(text) },
    })
    expect(await client.other.pid()).toBe(child.pid)
    expect(await client.other.whoAmI()).toBe('main')
    expect(await client.other.askBack()).toBe('main')
    expect(await client.other.tellAll({ text: 'hi' })).toBe(1)
    await eventually(() => expect(told).toEqual(['hi']))
    const bytes = Buffer.from('part of a pool')
    expect(Buffer.from(await client.other.reverse({ bytes })).toString()).toBe('loop a fo trap')
    child.postMessage('are you there?')
    await eventually(() => expect(stringify(heard)).toBe('["yes"]'))
  })

  test('the client stops when the process has ended', async () => {
    const { MessageChannelMain } = desktop.bench.electron
    const child = fork()
    await using client = createClient(service, {
      transport: utilityTransport(child, { MessageChannelMain: MessageChannelMain as never }),
      retry: { minDelayMs: 10 },
    })
    await client.connect()
    const cut = rejection(client.other.never())
    await client.other.pid()
    child.kill()
    const error = await cut
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed' })
    await eventually(() =>
      expect(client.state).toMatchObject({
        status: 'failed',
        lastError: { message: 'The utility process has ended. Fork another one' },
      }),
    )
  })

  test('a service that closes says goodbye', async () => {
    const { MessageChannelMain } = desktop.bench.electron
    const child = fork()
    await using client = createClient(service, {
      transport: utilityTransport(child, { MessageChannelMain: MessageChannelMain as never }),
    })
    await client.connect()
    const cut = rejection(client.other.never())
    await client.other.close()
    expect(await cut).toMatchObject({ closeCode: 1001, outcome: 'maybe-executed' })
  })

  test('handlers that are missing, or come too late, are told', async () => {
    const parent = new EventEmitter()
    const lines: string[] = []
    const logger = { debug() {}, warn() {}, error: (text: string) => void lines.push(text) }
    const utility = serveUtility(parent as never, service, { logger })
    const handOver = () => {
      const { port1, port2 } = new desktop.bench.electron.MessageChannelMain()
      const data = { flashrpc: 'connect', v: 1, name: 'db', id: 1, identity: {} }
      const heard: unknown[] = []
      port1.on('message', (message) => heard.push(message.data))
      port1.start()
      parent.emit('message', { data, ports: [port2] })
      return heard
    }
    utility.implement('pid', () => 1)
    const refused = handOver()
    await eventually(() =>
      expect(refused).toEqual([
        { flashrpc: 'refused', code: 1013, reason: 'The service has not given its handlers yet' },
      ]),
    )
    expect(lines[0]).toContain('The service has no handler for whoAmI, reverse, tellAll')
    utility.implement({
      whoAmI: () => '',
      reverse: ({ bytes }: { bytes: Uint8Array }) => bytes,
      tellAll: () => 0,
      askBack: () => '',
      never: () => {},
      close: () => {},
    } as never)
    const accepted = handOver()
    await eventually(() => expect(accepted[0]).toEqual({ flashrpc: 'accepted' }))
    expect(() => utility.implement('pid', () => 1)).toThrow(
      'The service serves already: call implement before its first connection',
    )
    await utility.close()
  })

  test('where there is no parent, serving says where it belongs', () => {
    expect(() => serveUtility(undefined as never, service, { methods: {} as never })).toThrow(
      /This process has no parentPort. Call serveUtility\(process.parentPort, …\) in a process that utilityProcess.fork\(\) has started/,
    )
  })
})
