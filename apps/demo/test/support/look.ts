import axe from 'axe-core'
import type { Page } from 'playwright-core'

/**
 * Looks at a page as it is on the screen now, and at what is in its shadow roots.
 *
 * @returns what a person would find fault with: controls that cover one another, or are covered; controls of less than
 * 24 px; text that is cut, with nothing that tells all of it; a page that is wider than the screen.
 */
export async function flawsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const CONTROLS = 'a[href], button, input, select, [role="tab"], [role="separator"]'
    const flaws: string[] = []
    const { clientWidth, clientHeight, scrollWidth } = document.documentElement
    if (scrollWidth > clientWidth) flaws.push(`The page is ${scrollWidth} px wide`)

    const roots = [document, ...shadowsOf(document)]
    const all = roots.flatMap((root) => [...root.querySelectorAll<HTMLElement>('*')])
    const controls = all.filter((one) => one.matches(CONTROLS)).filter((one) => isReachable(one))
    const boxes = new Map(controls.map((one) => [one, seenBox(one)]))

    for (const [control, box] of boxes) {
      const target = (control instanceof HTMLInputElement && control.closest('label')) || control
      const { width, height } = target.getBoundingClientRect()
      const isWord = control.tagName === 'A' && control.parentElement?.tagName === 'P'
      if (!isWord && Math.min(width, height) < 24) {
        flaws.push(`${name(control)} is ${width.toFixed()} × ${height.toFixed()} px`)
      }
      if (box.right - box.left < 2 || box.bottom - box.top < 2) continue
      const top = elementAt((box.left + box.right) / 2, (box.top + box.bottom) / 2)
      if (top && !isWithin(top, target) && !isWithin(target, top)) {
        flaws.push(`${name(control)} is covered by ${name(top)}`)
      }
      for (const [other, second] of boxes) {
        if (other === control || isWithin(other, control) || isWithin(control, other)) continue
        const across = Math.min(box.right, second.right) - Math.max(box.left, second.left)
        const down = Math.min(box.bottom, second.bottom) - Math.max(box.top, second.top)
        if (across > 1 && down > 1) flaws.push(`${name(control)} overlaps ${name(other)}`)
      }
    }
    for (const element of all) {
      const { overflowX, clipPath } = getComputedStyle(element)
      if (overflowX === 'visible' || clipPath !== 'none' || element.clientWidth === 0) continue
      const isCut = overflowX !== 'auto' && element.scrollWidth > element.clientWidth + 1
      const hasText = [...element.childNodes].some(
        (node) => node instanceof Text && node.data.trim() !== '',
      )
      if (isCut && hasText && !element.closest('[title]')) flaws.push(`${name(element)} is cut`)
    }
    return flaws

    function shadowsOf(root: Document | ShadowRoot): ShadowRoot[] {
      return [...root.querySelectorAll('*')].flatMap(({ shadowRoot }) =>
        shadowRoot ? [shadowRoot, ...shadowsOf(shadowRoot)] : [],
      )
    }
    /** Not behind a dialog, and drawn. */
    function isReachable(element: HTMLElement): boolean {
      const dialog = document.querySelector('dialog:modal')
      return (!dialog || dialog.contains(element)) && element.checkVisibility()
    }
    function parentOf(element: Element): Element | null {
      const root = element.getRootNode()
      return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null)
    }
    function isWithin(inner: Element, outer: Element): boolean {
      for (let at: Element | null = inner; at; at = parentOf(at)) if (at === outer) return true
      return false
    }
    /** The part of an element that is not scrolled away, nor under the bar on top or the panel. */
    function seenBox(element: HTMLElement) {
      const { left, right, top, bottom } = element.getBoundingClientRect()
      const box = { left, right, top, bottom }
      cut({ left: 0, right: clientWidth, top: 0, bottom: clientHeight })
      const panel = roots.map((root) => root.querySelector('.panel')).find((found) => found)
      if (panel && !isWithin(element, panel)) {
        const edge = panel.getBoundingClientRect()
        // Within 12 px of it, its edge is taken hold of.
        if (edge.width >= clientWidth - 1) cut({ ...box, bottom: edge.top - 12 })
        else if (edge.height >= clientHeight - 1) cut({ ...box, right: edge.left - 12 })
        // It is moved over the page at will.
        else cut({ left: 0, right: 0, top: 0, bottom: 0 })
      }
      // What stands while the rest is scrolled below it.
      const titles = element.closest('table')?.querySelectorAll('th') ?? []
      const standing =
        (element.closest('tbody') && [...titles].find((title) => title.checkVisibility())) ??
        (element.closest('main') && document.querySelector('.top'))
      if (standing) cut({ ...box, top: standing.getBoundingClientRect().bottom })
      for (let at = parentOf(element); at; at = parentOf(at)) {
        if (getComputedStyle(at).overflowY === 'visible') continue
        if (at === document.body || at === document.documentElement) continue
        cut(at.getBoundingClientRect())
      }
      return box
      function cut(to: { left: number; right: number; top: number; bottom: number }): void {
        box.left = Math.max(box.left, to.left)
        box.right = Math.min(box.right, to.right)
        box.top = Math.max(box.top, to.top)
        box.bottom = Math.min(box.bottom, to.bottom)
      }
    }
    function elementAt(x: number, y: number): Element | null {
      let found = document.elementFromPoint(x, y)
      while (found?.shadowRoot) {
        const inner = found.shadowRoot.elementFromPoint(x, y)
        if (!inner || inner === found) break
        found = inner
      }
      return found
    }
    function name(element: Element): string {
      const text = element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40)
      return `<${element.localName} class="${element.className}"> “${text}”`
    }
  })
}

/** @returns what axe finds in a page and its shadow roots: each rule with the elements that break it. */
export async function axeFindings(page: Page): Promise<[string, string[]][]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(),
  )
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
}
