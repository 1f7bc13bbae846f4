import './support/register.js'
import { type Client, createClient } from '@flashrpc/core'
import { RpcProvider, useRpcMethod, useRpcState } from '@flashrpc/react'
import { RpcDevtools, type RpcDevtoolsProps } from '@flashrpc/react/devtools'
import { cleanup, render, screen } from '@testing-library/react'
import axe from 'axe-core'
import { StrictMode } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { page as browser, userEvent } from 'vitest/browser'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'

type PageClient = Client<typeof contract.client, typeof contract.server>

let server: TestServer
let client: PageClient

beforeEach(async () => {
  server = await startServer()
  client = createClient(contract, {
    url: server.url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
  })
  await client.connect()
})

afterEach(async () => {
  cleanup()
  await client.close()
  await server[Symbol.asyncDispose]()
})

function Confirm() {
  useRpcMethod('confirm', () => 'yes')
  return <output>{useRpcState((state) => state.status)}</output>
}

function show(props: RpcDevtoolsProps = {}) {
  return render(
    <StrictMode>
      <RpcProvider client={client}>
        <Confirm />
        <RpcDevtools {...props} />
      </RpcProvider>
    </StrictMode>,
  )
}

/** What is in the panel's shadow root. */
function root(): ShadowRoot {
  const found = document.querySelector('[data-flashrpc-devtools]')?.shadowRoot
  if (!found) throw new Error('There are no devtools')
  return found
}

/** The rows as a person reads them: way, kind, method, outcome. */
function rows(): string[] {
  return [...root().querySelectorAll('tbody tr')].map((row) =>
    [...row.querySelectorAll('td')]
      .slice(1, 5)
      .map((cell) => cell.textContent)
      .join(' '),
  )
}

const button = (name: string | RegExp) => browser.getByRole('button', { name })
const choose = (label: string, value: string) =>
  userEvent.selectOptions(browser.getByLabelText(label, { exact: true }), value)

async function open(props: RpcDevtoolsProps = {}) {
  const shown = show(props)
  await button('flashrpc devtools').click()
  await expect.element(browser.getByRole('tab', { name: 'Calls' })).toBeVisible()
  return shown
}

describe('the rows', () => {
  test('are what passes, in both directions, with outcome, duration and size', async () => {
    await open()
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    await client.other.add({ a: 'x' as unknown as number, b: 2 }).catch(() => {})
    expect(await server.callAll('confirm', 'Deploy?')).toEqual([{ value: 'yes' }])
    await server.callAll('upper', 'nobody')
    await server.notifyAll('hello')
    for await (const _ of client.other.count({ to: 3 }));
    await expect
      .poll(rows)
      .toEqual([
        '→ server stream count done, 3 items',
        '← server notification notify done',
        '← server call upper error, -32601',
        '← server call confirm done',
        '→ server call add error, -32602',
        '→ server call add done',
      ])
    const cells = [...(root().querySelector('tbody tr:last-child')?.querySelectorAll('td') ?? [])]
    expect(cells[0]?.textContent).toMatch(/^\d\d:\d\d:\d\d\.\d\d\d$/)
    expect(cells[5]?.textContent).toMatch(/^\d+ ms$/)
    const frames = [
      { jsonrpc: '2.0', id: 1, method: 'add', params: { a: 1, b: 2 } },
      { jsonrpc: '2.0', id: 1, result: 3 },
    ]
    const size = frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0)
    expect(cells[6]?.textContent).toBe(`${size} B`)
  })

  test('show what runs, how far it is, and that it was given up', async () => {
    await open()
    const controller = new AbortController()
    const { signal } = controller
    client.other
      .report({ name: 'a', steps: 4, ms: 60_000 }, { signal, onProgress: () => {} })
      .catch(() => {})
    await expect.poll(rows).toEqual(['→ server call report pending, at 100'])
    controller.abort()
    await expect.poll(rows).toEqual(['→ server call report given up, -32800'])
    expect(await server.running()).toBe(0)
  })

  test('of the protocol are shown on demand', async () => {
    await open()
    await client.other.add({ a: 1, b: 2 })
    client.expose('upper', () => '')
    await expect.poll(rows).toEqual(['→ server call add done'])
    await browser.getByLabelText('Protocol').click()
    await expect.poll(rows).toContain('→ server protocol rpc.methods done')
    expect(rows()).toContain('→ server call add done')
    await browser.getByLabelText('Protocol').click()
    await expect.poll(rows).toEqual(['→ server call add done'])
  })

  test('are filtered by text, kind, direction and outcome', async () => {
    await open()
    await client.other.add({ a: 41, b: 1 })
    await client.other.add({ a: 'x' as unknown as number, b: 2 }).catch(() => {})
    await server.notifyAll('hello')
    await expect.poll(rows).toHaveLength(3)
    const text = browser.getByLabelText('Filter by text')
    await text.fill('HELLO')
    await expect.poll(rows).toEqual(['← server notification notify done'])
    await text.fill('41')
    await expect.poll(rows).toEqual(['→ server call add done'])
    await text.fill('no such')
    await expect.element(browser.getByText('No row matches.')).toBeVisible()
    await text.fill('')
    await choose('Kind', 'call')
    await expect.poll(rows).toHaveLength(2)
    await choose('Outcome', 'error')
    await expect.poll(rows).toEqual(['→ server call add error, -32602'])
    await choose('Outcome', 'all')
    await choose('Kind', 'all')
    await choose('Direction', 'in')
    await expect.poll(rows).toEqual(['← server notification notify done'])
  })

  test('are bounded, and say what was dropped; 200 are rendered at first', async () => {
    await open()
    await Promise.all(Array.from({ length: 1_200 }, (_, a) => client.other.add({ a, b: 0 })))
    await expect.element(browser.getByText(/^2\d\d older rows were dropped\.$/)).toBeVisible()
    expect(rows()).toHaveLength(200)
    await button(/^Show 200 older of \d+$/).click()
    await expect.poll(() => rows().length).toBe(400)
  })

  test('wait while paused, and go when cleared', async () => {
    await open()
    await client.other.add({ a: 1, b: 2 })
    await expect.poll(rows).toHaveLength(1)
    await button('Pause').click()
    await client.other.add({ a: 1, b: 2 })
    await button('Pause').click()
    await client.other.visits()
    await expect.poll(rows).toEqual(['→ server call visits done', '→ server call add done'])
    await button('Clear').click()
    await expect.poll(rows).toEqual([])
  })
})

describe('a row', () => {
  test('is inspected, copied and called again', async () => {
    await open()
    await client.other.add({ a: 20, b: 22 })
    await button('add').click()
    const details = browser.getByRole('complementary', { name: 'Details of add' })
    await expect.element(details).toBeVisible()
    const texts = () => [...root().querySelectorAll('aside pre')].map((pre) => pre.textContent)
    expect(texts().slice(0, 2)).toEqual(['{\n  "a": 20,\n  "b": 22\n}', '42'])
    expect(texts()).toHaveLength(4)
    await button('Call again').click()
    await expect.poll(rows).toEqual(['→ server call add done', '→ server call add done'])
    await button('Copy as JSON').click()
    await expect.poll(() => root().querySelector('output')?.textContent).toMatch(/Copied|clipboard/)
  })

  test('of the server can be called again by the server only', async () => {
    await open()
    await server.callAll('confirm', 'Deploy?')
    await button('confirm').click()
    await expect.element(browser.getByText('only it can call again')).toBeVisible()
    expect(root().textContent).not.toContain('Called again')
  })

  test('of the protocol can not be called again', async () => {
    await open()
    client.expose('upper', () => '')
    await browser.getByLabelText('Protocol').click()
    await button('rpc.methods').first().click()
    await expect.element(browser.getByText('Only calls can be made again')).toBeVisible()
    expect(button('Call again').elements()).toHaveLength(0)
  })

  test('of a stream is read again until it is stopped', async () => {
    await open()
    for await (const n of client.other.count({ to: null })) if (n > 2) break
    await expect.poll(() => rows()[0]).toContain('given up')
    await button('count').click()
    await button('Call again').click()
    await expect.poll(() => rows()[0]).toContain('pending')
    await button('Stop').click()
    await expect.poll(() => rows()[0]).toContain('given up')
    await expect.poll(() => server.running()).toBe(0)
  })
})

describe('the network', () => {
  test('can be slow: order is kept, and calls end as ever', async () => {
    await open()
    await choose('Network', 'Fast 4G (85 ms, 1.1 MB/s)')
    const begin = performance.now()
    const sums = await Promise.all([1, 2, 3].map((a) => client.other.add({ a, b: 1 })))
    expect(sums).toEqual([2, 3, 4])
    // Twice the latency, at the least.
    expect(performance.now() - begin).toBeGreaterThan(160)
    await choose('Network', 'As it is')
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
  })

  test('can be offline: calls wait, and go out when it is back; the timeline says why', async () => {
    await open()
    await choose('Network', 'Offline')
    await expect.poll(() => client.state.status).toMatch(/reconnecting|offline/)
    const visits = client.other.visits()
    await expect.poll(() => client.state.attempt).toBeGreaterThan(1)
    expect(client.state.queued).toBe(1)
    await browser.getByRole('tab', { name: 'Timeline' }).click()
    await expect.poll(() => root().textContent).toContain('simulated: offline')
    await choose('Network', 'As it is')
    expect(await visits).toBe(1)
    await expect.poll(() => root().querySelector('tbody tr')?.textContent).toContain('Connected')
  })

  test('is as it was when the devtools are gone', async () => {
    const { unmount } = await open()
    await choose('Network', '3G (1 s, 50 kB/s)')
    const sum = client.other.add({ a: 1, b: 1 })
    unmount()
    expect(await sum).toBe(2)
    const begin = performance.now()
    await client.other.add({ a: 1, b: 1 })
    expect(performance.now() - begin).toBeLessThan(1_000)
  })
})

test('the connection is told of: session, acknowledgements, buffers', async () => {
  await open()
  await browser.getByRole('tab', { name: 'Connection' }).click()
  const facts = () =>
    Object.fromEntries(
      [...root().querySelectorAll('dt')].map((dt) => [
        dt.textContent,
        dt.nextElementSibling?.textContent,
      ]),
    )
  await expect.poll(facts).toMatchObject({
    Status: 'connected',
    'The server speaks': 'flashrpc',
    'In the socket': '0 B',
    'The largest message the server takes': '1.0 MB',
  })
  client.other.slow({ ms: 60_000 }).catch(() => {})
  await expect.poll(facts).toMatchObject({ 'Calls in flight': '1' })
})

describe('for everybody', () => {
  test.each(['light', 'dark'] as const)('axe finds nothing, %s', async (theme) => {
    await open({ theme })
    await client.other.add({ a: 1, b: 2 })
    await client.other.add({ a: 'x' as unknown as number, b: 2 }).catch(() => {})
    client.other.slow({ ms: 60_000 }).catch(() => {})
    await expect.poll(rows).toHaveLength(3)
    const check = async () => {
      const { violations } = await axe.run(
        { include: [{ fromShadowDom: ['[data-flashrpc-devtools]', '.panel'] }] },
        { rules: { region: { enabled: false } } },
      )
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    }
    await check()
    await button('add').last().click()
    await check()
    await browser.getByRole('tab', { name: 'Timeline' }).click()
    await check()
    await browser.getByRole('tab', { name: 'Connection' }).click()
    await check()
    // That it looks there at all.
    const { passes } = await axe.run({
      include: [{ fromShadowDom: ['[data-flashrpc-devtools]', '.panel'] }],
    })
    expect(passes.map(({ id }) => id)).toContain('color-contrast')
  })

  test('the keyboard is enough', async () => {
    show()
    await client.other.add({ a: 1, b: 2 })
    await client.other.visits()
    const focused = () => root().activeElement?.textContent
    await userEvent.tab()
    await expect.poll(focused).toBe('flashrpc devtools')
    await userEvent.keyboard('{Enter}')
    await expect.poll(rows).toHaveLength(2)
    // Into the panel: its edge, its tabs.
    await expect.poll(() => root().activeElement?.className).toBe('panel')
    await userEvent.tab()
    expect(root().activeElement?.getAttribute('role')).toBe('separator')
    const height = () => root().querySelector('.panel')?.getBoundingClientRect().height ?? 0
    const before = height()
    await userEvent.keyboard('{ArrowUp}')
    await expect.poll(height).toBe(before + 32)
    await userEvent.tab()
    expect(focused()).toBe('Calls')
    await userEvent.keyboard('{ArrowRight}')
    await expect.poll(focused).toBe('Timeline')
    await userEvent.keyboard('{ArrowLeft}')
    // Its rows: arrows go along, Enter opens, Escape closes the one and then the other.
    root().querySelector<HTMLElement>('tbody button')?.focus()
    expect(focused()).toBe('visits')
    await userEvent.keyboard('{ArrowDown}')
    expect(focused()).toBe('add')
    await userEvent.keyboard('{Home}')
    expect(focused()).toBe('visits')
    await userEvent.keyboard('{Enter}')
    await expect.poll(() => root().querySelector('aside')?.ariaLabel).toBe('Details of visits')
    await userEvent.keyboard('{Escape}')
    await expect.poll(() => root().querySelector('aside')).toBeNull()
    expect(root().querySelector('.panel')).not.toBeNull()
    await userEvent.keyboard('{Escape}')
    await expect.poll(focused).toBe('flashrpc devtools')
  })

  test('the focus is never lost', async () => {
    await open()
    await client.other.add({ a: 1, b: 2 })
    await expect.poll(rows).toHaveLength(1)
    const focused = () => root().activeElement?.textContent
    // Details are closed: on their row.
    await button('add').click()
    await button('Close details').click()
    await expect.poll(focused).toBe('add')
    // A button that has done its work: on the field that says what is shown.
    await browser.getByLabelText('Filter by text').fill('no such')
    await button('Show all').click()
    await expect.poll(() => root().activeElement?.ariaLabel).toBe('Filter by text')
    await expect.poll(rows).toContain('→ server call add done')
    // A stream that is called again: on the button that stops it, and then on the one that calls again.
    for await (const n of client.other.count({ to: null })) if (n > 2) break
    await button('count').first().click()
    await button('Call again').click()
    await expect.poll(focused).toBe('Stop')
    await userEvent.keyboard('{Enter}')
    await expect.poll(focused).toBe('Call again')
  })

  test('in a narrow panel a row takes the place of all rows, with the focus', async () => {
    await open({ position: 'right' })
    await client.other.add({ a: 1, b: 2 })
    await button('add').click()
    await expect.poll(() => root().activeElement?.className).toBe('details')
    expect(root().querySelector('.scroll')?.getClientRects()).toHaveLength(0)
    await userEvent.keyboard('{Escape}')
    await expect.poll(() => root().activeElement?.textContent).toBe('add')
  })

  test('a name is read in full however narrow the panel is, and all of it can be hit', async () => {
    await open({ position: 'floating' })
    await client.other.add({ a: 'x' as unknown as number, b: 2 }).catch(() => {})
    await expect.poll(rows).toHaveLength(1)
    const shadow = root()
    const panel = shadow.querySelector<HTMLElement>('.panel')
    for (const width of ['320px', '390px', '700px', '1280px']) {
      panel?.style.setProperty('inline-size', width)
      const name = shadow.querySelector('tbody button')
      expect({ width, isCut: (name?.scrollWidth ?? 0) > (name?.clientWidth ?? 0) }).toEqual({
        width,
        isCut: false,
      })
      const small = [...shadow.querySelectorAll('.panel :is(button, select, label, .handle)')]
        .map((one) => [one.textContent, one.getBoundingClientRect()] as const)
        .filter(([, box]) => Math.min(box.width, box.height) < 24)
      expect(small).toEqual([])
      expect((panel?.scrollWidth ?? 0) - (panel?.clientWidth ?? 0)).toBe(0)
    }
  })

  test('counts are said as they are', async () => {
    await open()
    for await (const _ of client.other.count({ to: 1 }));
    await server.notifyAll('hello')
    await expect
      .poll(rows)
      .toEqual(['← server notification notify done', '→ server stream count done, 1 item'])
    await button('notify').click()
    await expect.poll(() => root().textContent).toMatch(/ B in 1 message(?!s)/)
  })

  test('attributes that build plugins add to components are ignored', async () => {
    const added = { 'data-sentry-element': 'RpcDevtools', 'aria-label': 'x', children: 'x' }
    await open({ ...added, ref: () => {} } as RpcDevtoolsProps)
    expect(root().querySelector('.panel')).toBeTruthy()
    expect(() => show({ ...added, positon: 'right' } as RpcDevtoolsProps)).toThrow(
      'RpcDevtools has no option "positon". Did you mean "position"?',
    )
  })

  test('the page makes room for it, and has that back', async () => {
    const { unmount } = await open()
    const padding = () => {
      const { paddingBottom, paddingRight } = getComputedStyle(document.documentElement)
      return [paddingBottom, paddingRight]
    }
    const height = root().querySelector('.panel')?.getBoundingClientRect().height
    expect(padding()).toEqual([`${height}px`, '0px'])
    await choose('Position', 'floating')
    await expect.poll(padding).toEqual(['0px', '0px'])
    await choose('Position', 'bottom')
    await expect.poll(padding).toEqual([`${height}px`, '0px'])
    unmount()
    expect(padding()).toEqual(['0px', '0px'])
  })

  test('the page keeps its own padding, in whatever order panels close', async () => {
    const html = document.documentElement
    const sheet = document.head.appendChild(document.createElement('style'))
    try {
      sheet.textContent = 'html { padding-bottom: 7px; padding-right: 3px }'
      html.style.setProperty('padding-bottom', '11px', 'important')
      const padding = () => {
        const { paddingBottom, paddingRight } = getComputedStyle(html)
        return [paddingBottom, paddingRight]
      }
      const panels = (names: string) => (
        <RpcProvider client={client}>
          {[...names].map((name) => (
            <RpcDevtools key={name} defaultOpen />
          ))}
        </RpcProvider>
      )
      const shown = () =>
        [...document.querySelectorAll('[data-flashrpc-devtools]')].filter((one) =>
          one.shadowRoot?.querySelector('.panel'),
        ).length
      const { rerender } = render(panels('a'))
      await expect.poll(shown).toBe(1)
      const size = root().querySelector('.panel')?.getBoundingClientRect().height ?? 0
      expect(padding()).toEqual([`${11 + size}px`, '3px'])
      rerender(panels('ab'))
      await expect.poll(shown).toBe(2)
      expect(padding()).toEqual([`${11 + size}px`, '3px'])
      rerender(panels('b'))
      expect(shown()).toBe(1)
      expect(padding()).toEqual([`${11 + size}px`, '3px'])
      rerender(panels(''))
      expect(padding()).toEqual(['11px', '3px'])
      expect(html.getAttribute('style')).toBe('padding-bottom: 11px !important;')
    } finally {
      cleanup()
      sheet.remove()
      html.removeAttribute('style')
    }
  })

  test('the button is in the page where it is wanted there, and the panel over all of it', async () => {
    const shown = (isOpen: boolean) => (
      <RpcProvider client={client}>
        <header style={{ transform: 'translateX(0)', height: 50, overflow: 'hidden' }}>
          <RpcDevtools button="inline" defaultOpen={isOpen} />
        </header>
      </RpcProvider>
    )
    render(shown(false))
    const launcher = () => root().querySelector('.launcher')
    await expect.poll(launcher).not.toBeNull()
    const bar = document.querySelector('header')?.getBoundingClientRect()
    const box = launcher()?.getBoundingClientRect()
    expect(box?.bottom).toBeLessThanOrEqual(bar?.bottom ?? 0)
    expect(launcher()?.ariaExpanded).toBe('false')
    await button('flashrpc devtools').click()
    const panel = () => root().querySelector('.panel')?.getBoundingClientRect()
    await expect.poll(() => panel()?.bottom).toBe(innerHeight)
    expect(panel()?.width).toBe(document.documentElement.clientWidth)
    // What is seen at its place is the panel, and not what it is in.
    const [x, y] = [innerWidth / 2, innerHeight - 5]
    expect(document.elementFromPoint(x, y)?.matches('[data-flashrpc-devtools]')).toBe(true)
    // It is a button for both.
    expect(launcher()?.ariaExpanded).toBe('true')
    await button('flashrpc devtools').click()
    await expect.poll(panel).toBeUndefined()
    expect(root().activeElement).toBe(launcher())
  })

  test('it is where it is wanted', async () => {
    await open({ position: 'right' })
    const box = () => root().querySelector('.panel')?.getBoundingClientRect()
    expect(box()?.height).toBe(innerHeight)
    await choose('Position', 'floating')
    await expect.poll(() => box()?.height).toBeLessThan(innerHeight)
    await choose('Position', 'bottom')
    await expect.poll(() => box()?.width).toBe(document.documentElement.clientWidth)
  })
})

test('the page keeps its own styles, and the panel has none of them', async () => {
  const style = document.createElement('style')
  style.textContent = 'button { color: rgb(1, 2, 3) !important }'
  document.head.append(style)
  const outside = document.createElement('button')
  document.body.append(outside)
  try {
    await open()
    const inside = root().querySelector('.bar button')
    expect(inside && getComputedStyle(inside).color).not.toBe('rgb(1, 2, 3)')
    expect(getComputedStyle(outside).padding).not.toBe('0.125rem 0.5rem')
    expect(document.adoptedStyleSheets).toEqual([])
  } finally {
    style.remove()
    outside.remove()
  }
})

test('two panels show one recording, and another client another', async () => {
  render(
    <>
      <RpcDevtools client={client} defaultOpen />
      <RpcDevtools client={client} defaultOpen position="right" />
    </>,
  )
  await client.other.add({ a: 1, b: 2 })
  const shown = () =>
    [...document.querySelectorAll('[data-flashrpc-devtools]')].map(
      (host) => host.shadowRoot?.querySelectorAll('tbody tr').length,
    )
  await expect.poll(shown).toEqual([1, 1])
})

test('without a client it says what to do', () => {
  expect(() => render(<RpcDevtools />)).toThrow('Put it into a <RpcProvider>, or give it one')
  expect(screen.queryByText('flashrpc devtools')).toBeNull()
})
