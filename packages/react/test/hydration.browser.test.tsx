import './support/register.js'
import { hydrateRoot } from 'react-dom/client'
import { expect, test, vi } from 'vitest'
import { Page } from './support/page.js'
import { startServer } from './support/servers.js'

/** React shows parts that come late together, some hundred ms later. */
const PATIENCE = { timeout: 5_000 }

/** Puts markup into the page as a browser would that loads it: its scripts run. */
function load(html: string): HTMLElement {
  const container = document.createElement('div')
  document.body.append(container)
  container.innerHTML = html
  for (const inert of container.querySelectorAll('script')) {
    const script = document.createElement('script')
    script.textContent = inert.textContent
    inert.replaceWith(script)
  }
  return container
}

test('what Node has streamed is hydrated without a mismatch, and connects only then', async () => {
  await using server = await startServer()
  const html = await server.renderPage()
  // The shell, with every hook as it stands before anything; and the part that came behind it.
  expect(html).toMatch(/shell.*idle.*function.*false.*waiting.*0/)
  expect(html).toContain('later')
  expect(html).toMatch(/<script>/)
  expect((await server.count()).ever).toBe(0)

  const container = load(html)
  // React's own script puts the part in its place.
  await expect.poll(() => container.querySelector('[hidden], template'), PATIENCE).toBeNull()
  expect(container.textContent).toMatch(/shell.*part/)
  const error = vi.spyOn(console, 'error')
  const mismatches: unknown[] = []
  const root = hydrateRoot(container, <Page url={server.url} />, {
    onRecoverableError: (thrown) => mismatches.push(thrown),
  })
  const texts = () => [...container.querySelectorAll('p')].map(({ textContent }) => textContent)
  await expect
    .poll(texts, PATIENCE)
    .toEqual(['shell connected function false done 3', 'part connected function false done 3'])
  expect(mismatches).toEqual([])
  expect(error).not.toHaveBeenCalled()
  expect(await server.callAll('confirm', '')).toEqual([{ value: 'yes' }])
  expect(await server.count()).toEqual({ open: 1, ever: 1 })
  root.unmount()
  container.remove()
  vi.restoreAllMocks()
  await expect.poll(async () => (await server.count()).open).toBe(0)
})
