import type { ElectronPage } from './page.js'

/** Who a page is, or what finding that out ended with. */
export type Verdict = { readonly identity: unknown } | { readonly cause: unknown }

/** How long a verdict that no port has been told waits for the page's next attempt, in ms. */
const KEEP_MS = 60_000

interface Decision {
  readonly webContentsId: number
  readonly verdict: Promise<Verdict>
  /** Another page has been under way to the window since it began. */
  isOutgoing: boolean
  forget: () => void
}

/**
 * Finds out who pages are: of each page once, however often it hands a port over meanwhile. A page whose attempt
 * has run out joins the decision with its next one, or finds it made.
 */
export class Decisions {
  readonly #identify: (page: ElectronPage) => unknown
  readonly #byPage = new Map<string, Decision>()

  constructor(identify: (page: ElectronPage) => unknown) {
    this.#identify = identify
  }

  /** @returns the verdict, at once where `identify` has it at once. */
  of(page: ElectronPage): Verdict | Promise<Verdict> {
    const key = keyOf(page)
    const before = this.#byPage.get(key)
    if (before && !before.isOutgoing) return before.verdict
    let identity: unknown
    try {
      identity = this.#identify(page)
    } catch (cause) {
      return { cause }
    }
    if (!isThenable(identity)) return { identity }
    return this.#begin(key, page, identity)
  }

  /** The page has been told its verdict: its next attempt is to be decided anew. */
  told(page: ElectronPage): void {
    this.#byPage.get(keyOf(page))?.forget()
  }

  /** Another page is under way to a window. */
  navigating(webContentsId: number): void {
    for (const decision of this.#of(webContentsId)) decision.isOutgoing = true
  }

  /** Another page has come to a window: what was to be decided of the one before concerns nobody. */
  navigated(webContentsId: number): void {
    for (const decision of this.#of(webContentsId)) if (decision.isOutgoing) decision.forget()
  }

  /** A window, or its page, is gone. */
  gone(webContentsId: number): void {
    for (const decision of this.#of(webContentsId)) decision.forget()
  }

  clear(): void {
    for (const decision of [...this.#byPage.values()]) decision.forget()
  }

  #begin(key: string, page: ElectronPage, identity: PromiseLike<unknown>): Promise<Verdict> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const verdict = Promise.resolve(identity).then<Verdict, Verdict>(
      (known) => ({ identity: known }),
      (cause: unknown) => ({ cause }),
    )
    const decision: Decision = {
      webContentsId: page.webContentsId,
      verdict,
      isOutgoing: false,
      forget: () => {
        clearTimeout(timer)
        timer = undefined
        if (this.#byPage.get(key) === decision) this.#byPage.delete(key)
      },
    }
    this.#byPage.set(key, decision)
    void verdict.then(() => {
      if (this.#byPage.get(key) !== decision) return
      timer = setTimeout(decision.forget, KEEP_MS)
      timer.unref()
    })
    return verdict
  }

  #of(webContentsId: number): Decision[] {
    return [...this.#byPage.values()].filter((one) => one.webContentsId === webContentsId)
  }
}

/** The document as main knows it; a frame shows one after another. */
function keyOf({ webContentsId, frame }: ElectronPage): string {
  const { frameTreeNodeId, processId, routingId, url } = frame
  return `${webContentsId}:${frameTreeNodeId}:${processId}:${routingId}:${url}`
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
