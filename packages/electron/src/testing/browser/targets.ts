import type { DevtoolsConnection, DevtoolsSession } from './devtools-connection.js'

/** A page in Chromium, under the bench's control. */
export interface PageTarget {
  readonly id: string
  readonly session: DevtoolsSession
  /** Closes the page, after its own `pagehide` and `unload`. */
  close(): void
}

/** A page that another page opened, waiting for its scripts. */
export interface Popup {
  readonly target: PageTarget
  readonly openerId: string
  readonly url: string
}

/** The events of pages. */
export interface TargetsListener {
  /** Takes a page that another one opened; the page waits for it. */
  onPopup(popup: Popup): Promise<void>
  /** Whether Playwright is there, which lets new pages go once it has prepared them too. */
  isWatched(): boolean
  onGone(targetId: string): void
  onCrashed(targetId: string): void
}

/** The pages of one Chromium: those that the bench opens, and those that pages open. */
export class Targets {
  readonly #connection: DevtoolsConnection
  readonly #listener: TargetsListener
  readonly #unclaimed = new Map<string, DevtoolsSession>()
  readonly #settling = new Set<Promise<unknown>>()
  #opening: Promise<unknown> = Promise.resolve()

  constructor(connection: DevtoolsConnection, listener: TargetsListener) {
    this.#connection = connection
    this.#listener = listener
  }

  /** Begins to follow pages. */
  async start(): Promise<void> {
    const { browser } = this.#connection
    browser.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      const session = this.#connection.session(sessionId)
      const { targetId, openerId, type, url } = targetInfo
      const resume = () => session.tell('Runtime.runIfWaitingForDebugger')
      if (type !== 'page') {
        resume()
        return
      }
      if (openerId === undefined) {
        this.#unclaimed.set(targetId, session)
        // Not ours, such as a page that Playwright opened, unless it is the one being opened.
        void this.#opening.finally(() => this.#unclaimed.delete(targetId) && resume())
        return
      }
      const target = this.#target(targetId, session)
      const taken = this.#listener.onPopup({ target, openerId, url })
      this.#settle(taken.finally(() => this.#listener.isWatched() || resume()))
    })
    browser.on('Target.detachedFromTarget', ({ sessionId, targetId }) => {
      this.#connection.end(sessionId)
      if (targetId !== undefined) this.#listener.onGone(targetId)
    })
    browser.on('Target.targetCrashed', ({ targetId }) => this.#listener.onCrashed(targetId))
    await browser.send('Target.setDiscoverTargets', { discover: true })
    await browser.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: true,
      flatten: true,
    })
  }

  /** Opens a page with nothing in it. */
  open(): Promise<PageTarget> {
    const opened = this.#opening.then(async () => {
      const { browser } = this.#connection
      const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
      // Chromium attaches before it answers.
      const session = this.#unclaimed.get(targetId)
      this.#unclaimed.delete(targetId)
      if (!session) throw new Error('Chromium did not attach to the page that it opened')
      session.tell('Page.enable')
      session.tell('Runtime.runIfWaitingForDebugger')
      // Answered once it is there: what is said next is about the documents after it.
      await session.send('Page.navigate', { url: 'about:blank' })
      return this.#target(targetId, session)
    })
    this.#opening = opened.catch(() => {})
    return opened
  }

  /** Resolves once every page that a page has opened so far has its scripts. */
  async settled(): Promise<void> {
    // All that was opened before this answer has been announced before it.
    await this.#connection.browser.send('Target.getTargets')
    while (this.#settling.size > 0) await Promise.all(this.#settling)
  }

  #settle(promise: Promise<unknown>): void {
    const settled = promise
      .catch(() => {})
      .finally(() => {
        this.#settling.delete(settled)
      })
    this.#settling.add(settled)
  }

  #target(id: string, session: DevtoolsSession): PageTarget {
    const { browser } = this.#connection
    return { id, session, close: () => browser.tell('Target.closeTarget', { targetId: id }) }
  }
}
