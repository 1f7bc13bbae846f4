import { createAudience, type Handlers } from '@flashrpc/core'
import { createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { createLoopback } from '@flashrpc/electron/loopback'
import { createElectronHost } from '@flashrpc/electron/main'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { chromium } from '../../../scripts/chromium.js'
import { bundle } from './support/bundle.js'
import { contract, type MainSide, type PageSide } from './support/contract.js'
import { startDesktop } from './support/desktop.js'
import { eventually } from './support/eventually.js'

/** One contract, one set of handlers, one component: a window, a browser's tab, the loopback. */

let desktop: Awaited<ReturnType<typeof startDesktop>>
let browser: Browser
let script: string

const html = '<!doctype html><title>react</title><script type="module" src="/react.js"></script>'
const page = (request: Request): Response | undefined => {
  const { pathname } = new URL(request.url)
  const type = pathname === '/react.js' ? 'text/javascript' : 'text/html'
  if (!pathname.startsWith('/react')) return undefined
  return new Response(type === 'text/html' ? html : script, { headers: { 'Content-Type': type } })
}

beforeAll(async () => {
  script = await bundle('./react-page.tsx')
  desktop = await startDesktop(page)
  browser = await playwright.launch(await chromium())
}, 60_000)
afterEach(() => desktop.reset())
afterAll(async () => {
  await browser?.close()
  await desktop?.bench.close()
})

/** What both serve; it asks for nothing that only one of them knows. */
const methods: Handlers<MainSide, ServerChannel<MainSide, PageSide>> = {
  echo: ({ text }) => `${text} from one handler`,
  reverse: ({ bytes }) => bytes.slice().reverse(),
  never: () => new Promise(() => {}),
  who: async (_, { channel }) => ({ origin: '', title: await channel.other.title() }),
  count: () => [],
  loop: () => [],
  fail: () => '',
  files: { reverse: ({ bytes }) => bytes, lines: { count: () => [], ask: () => '' } },
}

async function openTab(url: string): Promise<Page> {
  const tab = await browser.newPage()
  await tab.route('http://tab.localhost/**', async (route) => {
    const response = page(new Request(route.request().url())) as Response
    const headers = Object.fromEntries(response.headers)
    await route.fulfill({ headers, body: await response.text() })
  })
  await tab.goto(`http://tab.localhost/react?url=${encodeURIComponent(url)}`)
  return tab
}

test('a window and a browser tab run the same component against the same handlers, at once', async () => {
  await using host = createElectronHost(contract, {
    ipcMain: desktop.bench.electron.ipcMain,
    allow: ['app://demo'],
    methods,
  })
  await using endpoint = createEndpoint(contract, {
    allowedOrigins: ['http://tab.localhost'],
    methods,
  })
  await using loopback = await createLoopback(contract, {
    origins: ['http://tab.localhost'],
    methods,
  })
  const { url } = await endpoint.listen()
  const { page: window } = await desktop.open('app://demo/react')
  const tabs = [await openTab(url), await openTab(loopback.url)]

  for (const surface of [window, ...tabs]) {
    await surface.locator('#status', { hasText: 'connected' }).waitFor()
    await surface.getByRole('button', { name: 'Ask' }).click()
    await surface.locator('#echo', { hasText: 'hello from one handler' }).waitFor()
  }
  // StrictMode mounts twice, and connects once.
  expect([host.channels.size, endpoint.channels.size, loopback.channels.size]).toEqual([1, 1, 1])

  const everybody = createAudience<PageSide>(() => [
    ...host.channels,
    ...endpoint.channels,
    ...loopback.channels,
  ])
  const asked = await everybody.call('title', undefined)
  expect(asked.map((outcome) => outcome.status === 'ok' && outcome.value)).toEqual(
    Array(3).fill('react says hello from one handler'),
  )
  expect(await everybody.notify('told', { text: 'news' })).toBe(3)
  for (const surface of [window, ...tabs]) {
    await surface.locator('#told', { hasText: 'news' }).waitFor()
  }
  await Promise.all(tabs.map((tab) => tab.close()))
  await eventually(() => expect(everybody.size).toBe(1))
})

test('a component shows who is in a group, whichever host it is connected to', async () => {
  /** The options of a host that numbers its pages, and lets them see each other in the room. */
  const inRoom = (name: string) => {
    let count = 0
    return {
      methods,
      onConnect: (channel: ServerChannel<MainSide, PageSide, never>) =>
        channel.join('room', { info: { name: `${name} ${++count}` } }),
      presence: {
        allow: (group: string, { channel }: { channel: { groups: ReadonlySet<string> } }) =>
          channel.groups.has(group),
      },
    }
  }
  const { ipcMain } = desktop.bench.electron
  await using host = createElectronHost(contract, {
    ipcMain,
    allow: ['app://demo'],
    ...inRoom('window'),
  })
  const origin = 'http://tab.localhost'
  await using endpoint = createEndpoint(contract, {
    allowedOrigins: [origin],
    ...inRoom('endpoint'),
  })
  await using loopback = await createLoopback(contract, {
    origins: [origin],
    ...inRoom('loopback'),
  })
  const { url } = await endpoint.listen()
  const surfaces = [
    {
      name: 'window',
      server: host,
      open: async () => (await desktop.open('app://demo/react')).page,
    },
    { name: 'endpoint', server: endpoint, open: () => openTab(url) },
    { name: 'loopback', server: loopback, open: () => openTab(loopback.url) },
  ]
  for (const { name, server, open } of surfaces) {
    const shows = (page: Page, text: string) =>
      page.locator('#here', { hasText: new RegExp(`^${text}$`) }).waitFor()
    const [first, second, third] = [1, 2, 3].map((n) => `${name} ${n} has title,told`)
    const page = await open()
    await shows(page, `live: ${first}`)
    const other = await open()
    for (const one of [page, other]) await shows(one, `live: ${first}; ${second}`)
    // A page that was reloaded is another member.
    await page.reload()
    for (const one of [page, other]) await shows(one, `live: ${second}; ${third}`)
    await page.close()
    await shows(other, `live: ${second}`)
    for (const channel of server.channels) channel.leave('room')
    await shows(other, 'failed: Not allowed to see who is in the group "room".*')
    await other.close()
  }
})

test('a host tells no page who is in its groups unless presence is set', async () => {
  await using _ = desktop.host()
  const { page: window } = await desktop.open('app://demo/react')
  const why = 'failed: Method not found.* Let it, by the option presence'
  await window.locator('#here', { hasText: new RegExp(why) }).waitFor()
})

test('a component that is unmounted takes its connection along; the state comes back after a reload', async () => {
  await using host = createElectronHost(contract, {
    ipcMain: desktop.bench.electron.ipcMain,
    allow: ['app://demo'],
    methods,
  })
  const { page: window } = await desktop.open('app://demo/react')
  for (let n = 0; n < 3; n++) {
    await window.locator('#status', { hasText: 'connected' }).waitFor()
    expect(host.channels.size).toBe(1)
    await window.reload()
  }
})
