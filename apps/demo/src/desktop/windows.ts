import { join } from 'node:path'
import { app, BrowserWindow, screen } from 'electron'
import { PAGE_URL } from './address.js'
import { type Place, placeBeside, placeSideBySide, SMALLEST } from './placement.js'

/** A page that crashes again so soon after it was reloaded is left alone, in ms. */
const CRASH_LOOP_MS = 10_000

/** Opens two windows, side by side on the main screen. */
export function openTwoWindows(log: (line: string) => void): void {
  for (const place of placeSideBySide(screen.getPrimaryDisplay().workArea)) openAt(place, log)
}

/** Opens one more window, beside the one in front. */
export function openWindow(log: (line: string) => void): void {
  const front = windowInFront()
  if (!front) {
    openAt(placeSideBySide(screen.getPrimaryDisplay().workArea)[0], log)
    return
  }
  const bounds = front.getBounds()
  openAt(placeBeside(bounds, screen.getDisplayMatching(bounds).workArea), log)
}

/** The window that the person is in, or, where they are elsewhere, one of ours. */
export function windowInFront(): BrowserWindow | undefined {
  return BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows().at(-1)
}

/** Brings a window to the front, or opens one. */
export function showWindow(log: (line: string) => void): void {
  const window = windowInFront()
  if (!window) return openWindow(log)
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

function openAt(place: Place, log: (line: string) => void): void {
  const window = new BrowserWindow({
    ...place,
    minWidth: SMALLEST.width,
    minHeight: SMALLEST.height,
    title: 'flashrpc demo',
    // Shown when it is drawn: no white flash first.
    show: false,
    webPreferences: {
      preload: join(import.meta.dirname, 'preload.cjs'),
      // Electron's defaults, said so that no other default ever weakens them.
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      // The dictionaries would come from a server, and the page has nothing to spell.
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  })
  window.once('ready-to-show', () => window.show())
  reloadAfterCrash(window, log)
  window.loadURL(PAGE_URL).catch((error: unknown) => {
    // Closed while it loaded, it has nobody left to tell.
    if (!window.isDestroyed()) log(`the page could not be loaded: ${String(error)}`)
  })
}

/** A page that died comes back by itself; its questions ended with it. */
function reloadAfterCrash(window: BrowserWindow, log: (line: string) => void): void {
  let crashedAt = Number.NEGATIVE_INFINITY
  window.webContents.on('render-process-gone', (_, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    log(`a page is gone: ${reason}`)
    const isLoop = performance.now() - crashedAt < CRASH_LOOP_MS
    crashedAt = performance.now()
    if (!isLoop) window.reload()
  })
}
