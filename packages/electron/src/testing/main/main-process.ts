import type * as Electron from 'electron'
import type {
  BrowserWindowConstructorOptions,
  CustomScheme,
  ForkOptions,
  NotificationConstructorOptions,
} from 'electron'
import { type ChromiumOptions, startChromium } from '../browser/chromium-process.js'
import { type DevtoolsRelay, startDevtoolsRelay } from '../browser/devtools-relay.js'
import { startPageServer } from '../browser/page-server.js'
import { SchemeUrls } from '../browser/scheme-urls.js'
import { type PageTarget, Targets } from '../browser/targets.js'
import { type AppDescription, PlayedApp } from './app.js'
import { type BenchRecord, createRecord } from './bench-record.js'
import { type Adoption, PlayedBrowserWindow } from './browser-window.js'
import { createDialog } from './dialog.js'
import { IpcMain } from './ipc-main.js'
import type { MainSide } from './main-side.js'
import { createMenuClasses } from './menu.js'
import { MessageChannelMain, MessagePortMain } from './message-port-main.js'
import { createNativeImage } from './native-image.js'
import { PlayedNotification } from './notification.js'
import { PreventableEvent } from './preventable-event.js'
import { PlayedProtocol } from './protocol.js'
import { PlayedSession } from './session.js'
import { createNativeTheme, createNet, createScreen, createShell } from './surroundings.js'
import { PlayedTray } from './tray.js'
import { unplayedMembers } from './unplayed.js'
import { UtilityProcess } from './utility-process.js'
import { PLAYED_VERSIONS, userAgent } from './versions.js'
import { createSecret, WebContents } from './web-contents.js'

/** The parts of Electron's main process that the bench plays. */
export type PlayedElectron = Pick<
  typeof Electron,
  | 'app'
  | 'BrowserWindow'
  | 'dialog'
  | 'ipcMain'
  | 'Menu'
  | 'MenuItem'
  | 'MessageChannelMain'
  | 'nativeImage'
  | 'nativeTheme'
  | 'net'
  | 'Notification'
  | 'protocol'
  | 'screen'
  | 'session'
  | 'shell'
  | 'Tray'
  | 'utilityProcess'
  | 'webContents'
>

/** The options of a main process. */
export interface MainProcessOptions extends ChromiumOptions {
  readonly app: AppDescription
  readonly schemes: readonly CustomScheme[]
  readonly serve?: ((request: Request) => Response | Promise<Response> | undefined) | undefined
  /** A window's page is there, or gone. Default: nobody asks. */
  readonly onWindow?: (targetId: string, isThere: boolean) => void
  /** Folder for Chromium's profile. Default: the system's for temporary files. */
  readonly profiles?: string | undefined
  /** The app ends: by `app.quit`, `app.exit`, or as its last window was closed. */
  readonly onExit: (code: number) => void
}

/** A played main process, and the Chromium that has its windows. */
export interface MainProcess {
  readonly electron: PlayedElectron
  readonly app: PlayedApp
  /** The windows, dialogs and so on that the app would have shown or opened. */
  readonly record: BenchRecord
  /** The address for Playwright. */
  readonly endpoint: string
  /** Chromium's. */
  readonly pid: number | undefined
  /** The id of a window's page in Chromium, once it is there. */
  targetOf(window: object): Promise<PageTarget>
  /** The window of a page in Chromium. */
  windowOf(targetId: string): Promise<object | undefined>
  crash(window: object): Promise<void>
  close(): Promise<void>
}

/** Plays a main process; its app is not ready yet. */
export async function startMainProcess(options: MainProcessOptions): Promise<MainProcess> {
  const urls = new SchemeUrls()
  const ipcMain = new IpcMain()
  const record = createRecord()
  const windows = new Set<PlayedBrowserWindow>()
  const utilities = new Set<UtilityProcess>()
  const lastIds = { webContents: 0, window: 0 }
  const app = new PlayedApp(options.app, {
    windows: () => [...windows],
    exit: options.onExit,
  })
  const protocol = new PlayedProtocol(urls, () => app.isReady() && options.schemes.length === 0)
  PlayedProtocol.grant(protocol, options.schemes)
  const session = new PlayedSession(protocol, () => {
    for (const contents of allContents()) void WebContents.refreshPreloads(contents)
  })

  const server = await startPageServer(
    urls,
    (request) => PlayedProtocol.serve(protocol, request) ?? options.serve?.(request),
  )
  const chromium = await startChromium(
    { ...options, userAgent: userAgent(options.app) },
    server.port,
  ).catch(async (error) => {
    await server.close()
    throw error
  })
  const targets = new Targets(chromium.devtools, {
    onPopup: async (popup) => {
      const opener = allContents().find((each) => WebContents.hasFrame(each, popup.openerId))
      // No window's page: not the app's.
      if (opener) await WebContents.open(opener, popup)
    },
    isWatched: () => relay?.isUsed() ?? false,
    onGone: (id) => withTarget(id, WebContents.destroy),
    onCrashed: (id) => withTarget(id, WebContents.crash),
  })

  const main: MainSide = {
    urls,
    ipcMain,
    session,
    secret: createSecret(),
    rendererProcess: {
      type: 'renderer',
      sandboxed: true,
      contextIsolated: true,
      platform: process.platform,
      arch: process.arch,
      versions: { ...process.versions, ...PLAYED_VERSIONS },
      env: {},
      argv: [],
    },
    sessionPreloads: () => PlayedSession.preloadsOf(session),
    openPage: () => targets.open(),
    nextId: (kind) => ++lastIds[kind],
    adopt: (popup, preferences, given) => {
      const window = new BrowserWindow(given, { popup, preferences })
      return { window, ready: WebContents.targetOf(PlayedBrowserWindow.contentsOf(window)) }
    },
  }
  const targetIds = new WeakMap<WebContents, string>()

  class BrowserWindow extends PlayedBrowserWindow {
    constructor(given?: BrowserWindowConstructorOptions, adoption?: Adoption) {
      super(main, given, adoption)
      windows.add(this)
      const contents = PlayedBrowserWindow.contentsOf(this)
      WebContents.targetOf(contents).then(
        ({ id }) => {
          targetIds.set(contents, id)
          if (contents.isDestroyed()) return
          options.onWindow?.(id, true)
          contents.once('destroyed', () => options.onWindow?.(id, false))
        },
        () => {},
      )
      this.once('closed', () => {
        windows.delete(this)
        PlayedApp.onWindowClosed(app)
      })
      app.emit('web-contents-created', new PreventableEvent(), contents)
      app.emit('browser-window-created', new PreventableEvent(), this)
    }

    static getAllWindows(): PlayedBrowserWindow[] {
      return [...windows]
    }

    static getFocusedWindow(): PlayedBrowserWindow | null {
      return [...windows].findLast((window) => window.isFocused()) ?? null
    }

    static fromId(id: number): PlayedBrowserWindow | null {
      return [...windows].find((window) => window.id === id) ?? null
    }

    static fromWebContents(contents: unknown): PlayedBrowserWindow | null {
      return [...windows].find((each) => PlayedBrowserWindow.contentsOf(each) === contents) ?? null
    }
  }

  function allContents(): WebContents[] {
    return [...windows].map((window) => PlayedBrowserWindow.contentsOf(window))
  }

  function withTarget(id: string, act: (contents: WebContents) => void): void {
    const found = allContents().find((contents) => targetIds.get(contents) === id)
    if (found) act(found)
  }

  const webContents = unplayedMembers('webContents', {
    getAllWebContents: () => allContents(),
    getFocusedWebContents: () => BrowserWindow.getFocusedWindow()?.webContents ?? null,
    fromId: (id: number) => allContents().find((contents) => contents.id === id),
    fromFrame: (frame: unknown) => allContents().find((each) => each.mainFrame === frame),
  })
  const utilityProcess = {
    fork: (modulePath: string, args?: string[] | ForkOptions, given?: ForkOptions) => {
      const [list, more] = Array.isArray(args) ? [args, given] : [[], args ?? given]
      const utility = new UtilityProcess(modulePath, list, more ?? {})
      utilities.add(utility)
      utility.once('exit', () => utilities.delete(utility))
      return utility
    },
  }

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      await Promise.all([...utilities].map(UtilityProcess.end))
      for (const window of windows) window.removeAllListeners('close')
      for (const contents of allContents()) WebContents.destroy(contents)
      await relay?.close()
      await chromium.close()
      await server.close()
    })()
    return closing
  }
  let relay: DevtoolsRelay | undefined
  try {
    relay = await startDevtoolsRelay(chromium.endpoint, (head) =>
      head.includes('"Target.attachedToTarget"') ? targets.settled() : undefined,
    )
    await targets.start()
  } catch (error) {
    await close()
    throw error
  }

  const focused = () => BrowserWindow.getFocusedWindow()
  const { Menu, MenuItem } = createMenuClasses({
    close: () => focused()?.close(),
    quit: () => app.quit(),
    reload: () => focused()?.reload(),
    forcereload: () => focused()?.reload(),
    minimize: () => focused()?.minimize(),
  })
  class Tray extends PlayedTray {
    constructor() {
      super(record)
    }
  }
  class Notification extends PlayedNotification {
    constructor(given?: NotificationConstructorOptions) {
      super(record, given)
    }

    static isSupported(): boolean {
      return true
    }
  }

  const played = {
    app,
    BrowserWindow,
    dialog: createDialog(record),
    ipcMain,
    Menu,
    MenuItem,
    nativeImage: createNativeImage(),
    nativeTheme: createNativeTheme(),
    net: createNet(),
    Notification,
    screen: createScreen(),
    shell: createShell(record),
    Tray,
    MessageChannelMain,
    MessagePortMain,
    protocol,
    session: unplayedMembers('session', {
      defaultSession: session,
      fromPartition: () => session,
    }),
    utilityProcess,
    webContents,
  }
  const contentsOf = (window: object) =>
    PlayedBrowserWindow.contentsOf(window as PlayedBrowserWindow)
  return {
    // The only cast from the played classes to those of Electron, of which they implement a part.
    electron: played as unknown as PlayedElectron,
    app,
    record,
    endpoint: relay.endpoint,
    pid: chromium.pid,
    targetOf: (window) => WebContents.targetOf(contentsOf(window)),
    windowOf: async (targetId) => {
      for (const window of windows) {
        const target = await WebContents.targetOf(contentsOf(window)).catch(() => undefined)
        if (target?.id === targetId) return window
      }
      return undefined
    },
    crash: async (window) => {
      const contents = contentsOf(window)
      await WebContents.targetOf(contents)
      if (contents.isCrashed()) return
      const crashed = new Promise((resolve) => contents.once('render-process-gone', resolve))
      contents.forcefullyCrashRenderer()
      await crashed
    },
    close,
  }
}
