import { app, BrowserWindow, dialog, Notification, shell } from 'electron'
import type { Demo } from '../host/demo.js'
import { openFolder } from '../host/folder.js'
import { askAllWindows, describeTally } from './ask-windows.js'
import type { BrowserPages } from './browser-pages.js'
import type { DesktopHost } from './host.js'
import { openWindow, showWindow, windowInFront } from './windows.js'

/** What the person can do from the menus and the tray. None of them throws. */
export interface Actions {
  openWindow(): void
  showWindow(): void
  /** Watches a folder: one that is named, or one that the person chooses. */
  watch(folder?: string): void
  openInBrowser(): void
  askAll(): void
  askThis(): void
  quit(): void
}

export interface ActionsOptions {
  readonly demo: Demo
  readonly host: DesktopHost
  readonly browserPages: BrowserPages
  readonly log: (line: string) => void
  /** Takes open questions back. */
  readonly closing: AbortSignal
}

const QUESTION = 'Deploy?'

export function createActions(options: ActionsOptions): Actions {
  const { demo, host, browserPages, log, closing } = options
  /** Whatever fails is said to the person who wanted it. */
  const attempt =
    <Args extends unknown[]>(what: string, action: (...args: Args) => Promise<void>) =>
    (...args: Args): void => {
      action(...args).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        log(`${what}: ${why}`)
        if (!closing.aborted) dialog.showErrorBox(what, why)
      })
    }
  return {
    openWindow: () => openWindow(log),
    showWindow: () => showWindow(log),
    quit: () => app.quit(),
    watch: attempt('The folder is not watched', async (named?: string) => {
      const folder = named ?? (await chooseFolder(demo.folder))
      if (folder) await demo.watch(await openFolder(folder, demo.folder))
    }),
    openInBrowser: attempt('The browser could not be opened', async () => {
      // An address of this program's own making: nobody else chooses what the system opens.
      await shell.openExternal(await browserPages.open())
    }),
    askAll: attempt('The windows could not be asked', async () => {
      if (host.all.size === 0) return say(QUESTION, 'No window is open: open one and ask again.')
      const tally = await askAllWindows(host, QUESTION, closing)
      log(`all windows: ${QUESTION} ${describeTally(tally)}`)
      if (!closing.aborted) say(QUESTION, describeTally(tally))
    }),
    askThis: attempt('The window did not answer', async () => {
      const window = windowInFront()
      if (!window) return say(QUESTION, 'No window is open: open one and ask again.')
      const { other } = host.channelOf(window)
      const options = { timeout: Number.POSITIVE_INFINITY, signal: closing }
      const reply = await other.confirm({ text: QUESTION }, options)
      log(`this window: ${QUESTION} ${reply}`)
      say(QUESTION, reply === 'yes' ? 'It said yes.' : 'It said no.')
    }),
  }
}

async function chooseFolder(current: string): Promise<string | undefined> {
  const options = {
    title: 'Watch another folder',
    buttonLabel: 'Watch',
    defaultPath: current,
    properties: ['openDirectory' as const],
  }
  const window = BrowserWindow.getFocusedWindow()
  const { canceled, filePaths } = window
    ? await dialog.showOpenDialog(window, options)
    : await dialog.showOpenDialog(options)
  return canceled ? undefined : filePaths[0]
}

/** Tells the person something that needs no answer; where the system shows no such, nobody. */
function say(title: string, body: string): void {
  if (Notification.isSupported()) new Notification({ title, body, silent: true }).show()
}
