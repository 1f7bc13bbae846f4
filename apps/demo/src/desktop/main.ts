import { join } from 'node:path'
import { app, dialog, session } from 'electron'
import { createDemo } from '../host/demo.js'
import { openFolder } from '../host/folder.js'
import { createActions } from './actions.js'
import { createBrowserPages } from './browser-pages.js'
import { createDesktopHost } from './host.js'
import { showMenu } from './menu.js'
import { registerScheme, serveScheme } from './scheme.js'
import { confinePages, denyPermissions } from './security.js'
import { createTray } from './tray.js'
import { wantedFolder } from './wanted-folder.js'
import { openTwoWindows, openWindow, showWindow } from './windows.js'

/** The built files, beside this one's folder, and the project, which is watched by default. */
const WEB = join(import.meta.dirname, '../web')
const PROJECT = join(import.meta.dirname, '../../../..')

/** How long what runs may take to finish when the app quits, in ms. */
const DRAIN_MS = 500

const log = (line: string): void =>
  console.log(`  ${new Date().toLocaleTimeString('en-GB')}  ${line}`)

async function start(): Promise<void> {
  const fallback = app.isPackaged ? app.getPath('documents') : PROJECT
  const folder = await openFolder(wantedFolder(process.argv) ?? fallback, process.cwd())
  const demo = await createDemo({ folder, askCommand, log })
  const host = createDesktopHost(demo.served, log)
  const browserPages = createBrowserPages(demo.served)
  const closing = new AbortController()
  const actions = createActions({ demo, host, browserPages, log, closing: closing.signal })

  function askCommand(): string | undefined {
    const { port } = browserPages
    return port === undefined ? undefined : `npx --yes pnpm@12 demo:ask "Deploy?" --port ${port}`
  }

  denyPermissions(session.defaultSession)
  await serveScheme(WEB)
  showMenu(actions, app.isPackaged)
  openTwoWindows(log)
  log(`watching ${folder}`)

  app.on('window-all-closed', () => {
    // On a Mac, an app without windows is still there.
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('activate', (_, hasVisibleWindows) => {
    if (!hasVisibleWindows) openWindow(log)
  })
  app.on('second-instance', (_, args) => {
    const folder = wantedFolder(args)
    if (folder) actions.watch(folder)
    showWindow(log)
  })

  let isClosed = false
  app.on('before-quit', (event) => {
    if (isClosed) return
    event.preventDefault()
    if (closing.signal.aborted) return
    closing.abort()
    const drain = { drain: DRAIN_MS }
    void Promise.allSettled([host.close(drain), browserPages.close(drain), demo.close()]).then(
      () => {
        isClosed = true
        app.quit()
      },
    )
  })

  try {
    createTray(actions)
  } catch (error) {
    log(`there is no tray: ${String(error)}`)
  }
}

function giveUp(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  console.error(`✖ ${why}`)
  dialog.showErrorBox('The flashrpc demo could not start', why)
  app.exit(1)
}

// Electron waits for this file before it is ready: what must come first is done here, and nothing
// that waits for readiness is awaited.
registerScheme()
confinePages()
// Windows shows notifications only of programs that it can name; an installer registers the same.
if (process.platform === 'win32') app.setAppUserModelId('flashrpc.demo')
if (app.requestSingleInstanceLock()) void app.whenReady().then(start).catch(giveUp)
else {
  console.log('The demo is running already: its window is in front now.')
  app.quit()
}
