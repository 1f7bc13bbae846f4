import type { SchemeUrls } from '../browser/scheme-urls.js'
import type { PageTarget, Popup } from '../browser/targets.js'
import type { IpcMain } from './ipc-main.js'
import type { WebPreferences } from './web-preferences.js'

/** A window of a page that another one opened. */
export interface AdoptedWindow {
  readonly window: object
  /** Resolves once the page has its scripts. */
  readonly ready: Promise<unknown>
}

/** The state that the parts of one played main process share. */
export interface MainSide {
  readonly urls: SchemeUrls
  readonly ipcMain: IpcMain
  /** Names the context bridge's events. */
  readonly secret: string
  /** The `process` that preloads see. */
  readonly rendererProcess: Record<string, unknown>
  /** The only session there is. */
  readonly session: object
  /** Files that `session.registerPreloadScript` named. */
  sessionPreloads(): readonly string[]
  openPage(): Promise<PageTarget>
  /** Ids begin at 1, and none comes twice. */
  nextId(kind: 'webContents' | 'window'): number
  /** Makes the window of a page that another one opened. */
  adopt(popup: Popup, preferences: WebPreferences, options: object): AdoptedWindow
}
