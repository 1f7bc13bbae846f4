import type { WebContents, WebContentsDidStartNavigationEventParams } from 'electron'

/** The events of a window's pages. */
export interface WindowEvents {
  /** Another page may come; it may also never come: a download, a 204. */
  navigating(): void
  /** Another page has come. */
  navigated(): void
  /** The page's process has gone. */
  crashed(reason: string): void
  /** The window has gone. */
  destroyed(): void
}

/**
 * Watches a window for the ends of its pages. A page's end closes its port: this is for the day when
 * it does not.
 *
 * @returns ends the watch.
 */
export function watchWindow(webContents: WebContents, events: WindowEvents): () => void {
  const onNavigating = ({
    isMainFrame,
    isSameDocument,
  }: WebContentsDidStartNavigationEventParams): void => {
    if (isMainFrame && !isSameDocument) events.navigating()
  }
  const onNavigated = () => events.navigated()
  const onProcessGone = (_: unknown, { reason }: { reason: string }) =>
    events.crashed(`The page's process is gone: ${reason}`)
  const onDestroyed = () => events.destroyed()

  webContents.on('did-start-navigation', onNavigating)
  webContents.on('did-navigate', onNavigated)
  webContents.on('render-process-gone', onProcessGone)
  webContents.on('destroyed', onDestroyed)
  return () => {
    if (webContents.isDestroyed()) return
    webContents.off('did-start-navigation', onNavigating)
    webContents.off('did-navigate', onNavigated)
    webContents.off('render-process-gone', onProcessGone)
    webContents.off('destroyed', onDestroyed)
  }
}
