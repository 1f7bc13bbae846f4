import type { Transport } from '@flashrpc/core'
import type { AnyServerChannel } from '@flashrpc/core/internal'
import type { MessagePortMain } from 'electron'
import type { ElectronPage } from './page.js'
import type { Place } from './target.js'

/** A page's port, and what has become of it. */
export interface Link {
  readonly page: ElectronPage
  /** Held, so that it is not collected before it is started: that would close it. */
  readonly port: MessagePortMain
  /** Another page has been under way to its frame since it connected. */
  isOutgoing: boolean
  /** Who the page is has been found out: it has been accepted. */
  open: { readonly channel: AnyServerChannel; readonly transport: Transport } | undefined
}

/** One link a frame: the page in it that handed its port over last. */
export class Links {
  readonly #byFrame = new Map<string, Link>()

  /** @returns the link that it takes the place of. */
  put(link: Link): Link | undefined {
    const key = keyOf(link)
    const before = this.#byFrame.get(key)
    // The newest is the last.
    this.#byFrame.delete(key)
    this.#byFrame.set(key, link)
    return before
  }

  has(link: Link): boolean {
    return this.#byFrame.get(keyOf(link)) === link
  }

  /** @returns whether it was there. */
  delete(link: Link): boolean {
    return this.has(link) && this.#byFrame.delete(keyOf(link))
  }

  all(): Link[] {
    return [...this.#byFrame.values()]
  }

  ofWindow(webContentsId: number): Link[] {
    return this.all().filter(({ page }) => page.webContentsId === webContentsId)
  }

  /** The link of a window's own page, or of one frame. */
  find(place: Place): Link | undefined {
    return this.all().find(({ page: { webContentsId, frame } }) =>
      'webContentsId' in place
        ? frame.isMainFrame && webContentsId === place.webContentsId
        : frame.frameTreeNodeId === place.frameTreeNodeId,
    )
  }
}

function keyOf({ page: { webContentsId, frame } }: Link): string {
  return `${webContentsId}:${frame.frameTreeNodeId}`
}
