import type { ElectronPage } from './page.js'

/** The identity of a page, or the error with which `identify` failed. */
export type Verdict = { readonly identity: unknown } | { readonly cause: unknown }

/** How long, in ms, a verdict that could not be sent to the page is kept for its next attempt. */
const KEEP_MS = 60_000

interface Decision {
  readonly webContentsId: number
  readonly verdict: Promise<Verdict>
  /** Whether the window has begun to load another page since then. */
  isOutgoing: boolean
  forget: () => void
}

/**
 * Finds the identities of pages. `identify` is called once for a page, even if the page hands over several ports at
 * the same time: a later attempt of the page waits for the same decision, or finds it made.
 */
export class Decisions {
  readonly #identify: (page: ElectronPage) => unknown
  readonly #byPage = new Map<string, Decision>()

  constructor(identify: (page: ElectronPage) => unknown) {
    this.#identify = identify
  }

  /** @returns the verdict; a promise only if `identify` returns a promise. */
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

  /** The page has been told its verdict. For its next attempt, `identify` is called again. */
  told(page: ElectronPage): void {
    this.#byPage.get(keyOf(page))?.forget()
  }

  /** A window has begun to load another page. */
  navigating(webContentsId: number): void {
    for (const decision of this.#of(webContentsId)) decision.isOutgoing = true
  }

  /** A window shows another page now: decisions about the page before are dropped. */
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

/** A key for one document: a frame shows several, one after another. */
function keyOf({ webContentsId, frame }: ElectronPage): string {
  const { frameTreeNodeId, processId, routingId, url } = frame
  return `${webContentsId}:${frameTreeNodeId}:${processId}:${routingId}:${url}`
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
