const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), [tabindex="0"]'
const LANDMARK = '.card, section, header, main'

/** An element around what has the focus, and which of the elements in it that can have it. */
interface Place {
  readonly around: Element
  readonly index: number
}

/**
 * Keeps the focus where it was when the element that has it is removed: it goes to what took its place, such as the
 * next one of a list, or to the heading of its part of the page. A browser would begin again at the top.
 *
 * @returns ends that.
 */
export function keepFocus(root: HTMLElement): () => void {
  let last: Element | null = null
  let places: readonly Place[] = []

  const remember = ({ target }: FocusEvent): void => {
    // A dialog that is closed gives the focus back to what had it before.
    if (!(target instanceof Element) || target.closest('dialog')) return
    last = target
    places = placesOf(target)
  }
  const forget = (): void => {
    last = null
  }
  const restore = (): void => {
    if (!last || last.isConnected || document.activeElement !== document.body) return
    last = null
    const place = places.find(({ around }) => around.isConnected)
    if (!place) return
    const others = focusableIn(place.around)
    const next = others[Math.min(place.index, others.length - 1)] ?? headingOf(place.around)
    next.focus({ preventScroll: true })
  }
  const removed = new MutationObserver(restore)
  removed.observe(root, { childList: true, subtree: true })
  root.addEventListener('focusin', remember)
  // A click beside takes the focus away, and one on a button gives it, right after.
  document.addEventListener('pointerdown', forget)
  return () => {
    removed.disconnect()
    root.removeEventListener('focusin', remember)
    document.removeEventListener('pointerdown', forget)
  }
}

/** What is around an element, up to its part of the page. */
function placesOf(element: Element): Place[] {
  const places: Place[] = []
  for (let around = element.parentElement; around; around = around.parentElement) {
    places.push({ around, index: focusableIn(around).indexOf(element as HTMLElement) })
    if (around.matches(LANDMARK)) break
  }
  return places
}

function focusableIn(around: Element): HTMLElement[] {
  return [...around.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (one) => one.getClientRects().length > 0,
  )
}

/** The heading of the part of the page that an element is in, or that part, which can then have the focus. */
function headingOf(element: Element): HTMLElement {
  const landmark = element.closest<HTMLElement>(LANDMARK) ?? document.body
  const heading = landmark.querySelector<HTMLElement>('h1, h2') ?? landmark
  heading.tabIndex = -1
  return heading
}
