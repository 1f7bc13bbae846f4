import { RpcConfigError } from '@flashrpc/core'
import type { BrowserWindow, WebContents, WebFrameMain } from 'electron'

/** A window, or what it shows: its own page is meant. Or one frame in a page. */
export type ElectronTarget = BrowserWindow | WebContents | WebFrameMain

/** The window of a page, or its frame in one. */
export type Place =
  | { readonly webContents: WebContents; readonly webContentsId: number }
  | { readonly frameTreeNodeId: number }

/**
 * @returns why the target has no page: it is gone.
 * @throws {RpcConfigError} if the target is neither a window, nor its contents, nor a frame.
 */
export function whyNowhere(target: unknown): string {
  if (typeof (target as Partial<ElectronTarget> | null)?.isDestroyed === 'function') {
    return 'The window is gone'
  }
  const what = target === null ? 'null' : `a value of type ${typeof target}`
  throw new RpcConfigError(
    `The window must be a BrowserWindow, its webContents, or a WebFrameMain. It is ${what}`,
  )
}

/** @returns undefined if the target is gone: Electron throws if it has been destroyed. */
export function locate(target: ElectronTarget): Place | undefined {
  try {
    if (target.isDestroyed()) return undefined
    if ('frameTreeNodeId' in target) return { frameTreeNodeId: target.frameTreeNodeId }
    const webContents = 'webContents' in target ? target.webContents : target
    return { webContents, webContentsId: webContents.id }
  } catch {
    return undefined
  }
}
