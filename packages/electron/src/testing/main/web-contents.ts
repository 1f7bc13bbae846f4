import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { HandlerDetails, WindowOpenHandlerResponse } from 'electron'
import type { PageTarget, Popup } from '../browser/targets.js'
import type { FromWorld } from '../page/messages.js'
import {
  ISOLATED_WORLD,
  isolatedWorldScript,
  LEAVE_FIRST_DOCUMENT,
  mainWorldScript,
} from '../page/page-script.js'
import { FrameTree } from './frame-tree.js'
import { receiveIpc } from './ipc-events.js'
import { IpcMain } from './ipc-main.js'
import type { MainSide } from './main-side.js'
import type { MessagePortMain } from './message-port-main.js'
import { LoadError } from './net-errors.js'
import { PreventableEvent } from './preventable-event.js'
import { throwOnUnplayed } from './unplayed.js'
import { WebFrameMain } from './web-frame-main.js'
import type { WebPreferences } from './web-preferences.js'

/** How long a navigation waits, in milliseconds, for word that its page began it. */
const REQUEST_GRACE = 30

type WindowOpenHandler = (details: HandlerDetails) => WindowOpenHandlerResponse

interface Opening {
  readonly url: string
  readonly frameName: string
  readonly features: string
}

/** Electron's WebContents: what is in a window. */
export class WebContents extends EventEmitter {
  readonly #main: MainSide
  readonly #id: number
  readonly #preferences: WebPreferences
  readonly #ipc = new IpcMain()
  readonly #frames: FrameTree
  readonly #ready: Promise<PageTarget>
  readonly #openings: Opening[] = []
  readonly #openingWaiters: ((opening: Opening) => void)[] = []
  readonly #navigationRequests = new Set<string>()
  #mainFrame: WebFrameMain
  #skipsEmpty: boolean
  #target: PageTarget | undefined
  #windowOpenHandler: WindowOpenHandler | undefined
  /** Functions that end the loads which are under way, for when the page is gone. */
  readonly #givingUp = new Set<() => void>()
  #loads = new Map<string, (failure?: string) => void>()
  #loaderId: string | undefined
  #finishedLoaderId: string | undefined
  #failedUrl: string | undefined
  #title = ''
  #userAgent = ''
  #zoomFactor = 1
  #loading = false
  /** Whether it was ever told to go anywhere; what it shows before is the bench's own. */
  #navigated = false
  #crashed = false
  #destroyed = false

  /**
   * @param popup - The page, where another one opened it; it waits for its scripts, which go to it
   * before this returns.
   */
  constructor(main: MainSide, preferences: WebPreferences, popup?: Popup) {
    super()
    this.#main = main
    this.#id = main.nextId('webContents')
    this.#preferences = preferences
    this.#frames = new FrameTree({
      urls: main.urls,
      scripts: () => this.#scripts(),
      onMessage: (frame, message) => this.#onMessage(frame, message),
      onDocument: (frame) => {
        this.#mainFrame = frame
        if (!this.#skipsEmpty) return
        this.#skipsEmpty = false
        void this.#frames.refresh()
      },
    })
    // There from the start, as in Electron, though with nothing in it.
    const nothing = {
      frameTreeNodeId: 0,
      processId: 0,
      parent: () => null,
      children: () => [],
      evaluate: () => Promise.reject(new Error('The document does not exist yet')),
    }
    this.#mainFrame = new WebFrameMain(nothing, '', 'null')
    const opensEmpty = popup?.url === '' || popup?.url === 'about:blank'
    this.#skipsEmpty = popup !== undefined && !opensEmpty
    this.#ready = popup
      ? this.#attach(popup.target, opensEmpty)
      : main.openPage().then((target) => this.#attach(target, false))
    this.#ready.catch(() => {})
  }

  /** For the bench: the page in Chromium, once it is there. */
  static targetOf(contents: WebContents): Promise<PageTarget> {
    return contents.#ready
  }

  /** For the bench: preloads changed. */
  static refreshPreloads(contents: WebContents): Promise<void> {
    return contents.#frames.refresh()
  }

  /** For the bench: whether the target is one of this window's frames. */
  static hasFrame(contents: WebContents, frameId: string): boolean {
    return contents.#frames.has(frameId)
  }

  /** For the bench: the page is gone. Safe to call twice. */
  static destroy(contents: WebContents): void {
    if (contents.#destroyed) return
    contents.#destroyed = true
    contents.#frames.dispose()
    WebFrameMain.dispose(contents.#mainFrame)
    for (const giveUp of contents.#givingUp) giveUp()
    contents.emit('destroyed')
  }

  /** For the bench: the page's process ended. */
  static crash(contents: WebContents): void {
    if (contents.#destroyed || contents.#crashed) return
    contents.#crashed = true
    contents.#frames.dispose()
    contents.#settleLoads('net::ERR_FAILED')
    contents.emit('render-process-gone', new PreventableEvent(), {
      reason: 'crashed',
      exitCode: 5,
    })
  }

  /** For the bench: decides about a page that a page of this window opened. */
  static async open(contents: WebContents, popup: Popup): Promise<void> {
    const opening = contents.#openings.shift() ?? (await contents.#nextOpening())
    const url = contents.#main.urls.toElectron(opening.url || 'about:blank')
    const { frameName, features } = opening
    const details = {
      url,
      frameName,
      features,
      disposition: features === '' ? 'foreground-tab' : 'new-window',
      referrer: { url: contents.#mainFrame.detached ? '' : contents.#mainFrame.url, policy: '' },
    } as HandlerDetails & { referrer: object }
    const answer = contents.#windowOpenHandler?.(details as never) ?? { action: 'allow' }
    if (answer.action !== 'allow') return refuse(popup.target)
    const override = answer.overrideBrowserWindowOptions ?? {}
    // An empty page is there before its preferences could be others than its opener's.
    const preferences =
      url === 'about:blank'
        ? contents.#preferences
        : {
            nodeIntegrationInSubFrames: contents.#preferences.nodeIntegrationInSubFrames,
            ...override.webPreferences,
          }
    const opened = { ...popup, url: opening.url }
    const { window, ready } = contents.#main.adopt(opened, preferences, override)
    contents.emit('did-create-window', window, { ...details, options: override })
    await ready
  }

  get id(): number {
    return this.#alive(this.#id)
  }

  get ipc(): IpcMain {
    return this.#alive(this.#ipc)
  }

  get mainFrame(): WebFrameMain {
    return this.#alive(this.#mainFrame)
  }

  get focusedFrame(): WebFrameMain | null {
    return this.#alive(this.#mainFrame)
  }

  get session(): object {
    return this.#alive(this.#main.session)
  }

  get opener(): WebFrameMain | null {
    return this.#alive(null)
  }

  get userAgent(): string {
    return this.#alive(this.#userAgent)
  }

  set userAgent(userAgent: string) {
    this.setUserAgent(userAgent)
  }

  get zoomFactor(): number {
    return this.#alive(this.#zoomFactor)
  }

  set zoomFactor(factor: number) {
    this.setZoomFactor(factor)
  }

  isDestroyed(): boolean {
    return this.#destroyed
  }

  isCrashed(): boolean {
    return this.#alive(this.#crashed)
  }

  isLoading(): boolean {
    return this.#alive(this.#loading)
  }

  isLoadingMainFrame(): boolean {
    return this.#alive(this.#loading)
  }

  isFocused(): boolean {
    return this.#alive(true)
  }

  isDevToolsOpened(): boolean {
    return this.#alive(false)
  }

  getType(): string {
    return this.#alive('window')
  }

  getURL(): string {
    this.#alive()
    return this.#mainFrame.detached ? '' : this.#mainFrame.url
  }

  getTitle(): string {
    return this.#alive(this.#title)
  }

  getProcessId(): number {
    return this.#alive(this.#mainFrame).processId
  }

  getOSProcessId(): number {
    return this.#alive(this.#mainFrame).processId
  }

  getUserAgent(): string {
    return this.#alive(this.#userAgent)
  }

  setUserAgent(userAgent: string): void {
    this.#alive()
    this.#userAgent = userAgent
    this.#tell((target) => target.session.tell('Network.setUserAgentOverride', { userAgent }))
  }

  getZoomFactor(): number {
    return this.#alive(this.#zoomFactor)
  }

  setZoomFactor(factor: number): void {
    this.#alive()
    this.#zoomFactor = factor
  }

  setVisualZoomLevelLimits(): Promise<void> {
    this.#alive()
    return Promise.resolve()
  }

  openDevTools(): void {
    this.#alive()
  }

  closeDevTools(): void {
    this.#alive()
  }

  focus(): void {
    this.#alive()
  }

  send(channel: string, ...args: unknown[]): void {
    this.#alive()
    if (!this.#mainFrame.detached) this.#mainFrame.send(channel, ...args)
  }

  postMessage(channel: string, message: unknown, transfer: MessagePortMain[] = []): void {
    this.#alive()
    if (!this.#mainFrame.detached) this.#mainFrame.postMessage(channel, message, transfer)
  }

  sendToFrame(frame: number | [number, number], channel: string, ...args: unknown[]): void {
    const routingId = Array.isArray(frame) ? frame[1] : frame
    const found = this.mainFrame.framesInSubtree.find((each) => each.routingId === routingId)
    found?.send(channel, ...args)
  }

  setWindowOpenHandler(handler: WindowOpenHandler): void {
    this.#alive()
    this.#windowOpenHandler = handler
  }

  async executeJavaScript(code: string, userGesture = false): Promise<unknown> {
    this.#alive()
    await this.#ready
    return this.#mainFrame.executeJavaScript(code, userGesture)
  }

  loadURL(url: string): Promise<void> {
    this.#alive()
    const loaded = this.#unlessDestroyed(url, this.#load(url))
    // As in Electron: a caller that does not wait for it gets no error.
    loaded.catch(() => {})
    return loaded
  }

  async #load(url: string): Promise<void> {
    const scheme = /^([a-z][a-z\d+.-]*):/i.exec(url)?.[1]?.toLowerCase()
    if (scheme === undefined) throw this.#loadFailed('net::ERR_INVALID_URL', url)
    const { urls } = this.#main
    const known = ['http', 'https', 'file', 'data', 'about', 'blob', 'chrome', 'javascript']
    if (!urls.has(scheme) && !known.includes(scheme)) {
      throw this.#loadFailed('net::ERR_UNKNOWN_URL_SCHEME', url)
    }
    const { session } = await this.#ready
    if (this.#destroyed) throw new LoadError('net::ERR_ABORTED', url)
    await this.#beforeLoad()
    this.#settleLoads('net::ERR_ABORTED')
    const { errorText, loaderId } = await session
      .send('Page.navigate', { url: urls.toChromium(url) })
      .catch(() => ({ errorText: 'net::ERR_ABORTED', loaderId: undefined }))
    if (errorText !== undefined) throw this.#loadFailed(errorText, url)
    // Without a document of its own it was a jump within the one that is there.
    if (loaderId === undefined) return
    const failure = await this.#loaded(loaderId)
    if (failure !== undefined) throw new LoadError(failure, url)
  }

  reload(): void {
    this.#alive()
    this.#tell(async ({ session }) => {
      await this.#beforeLoad()
      session.tell('Page.reload')
    })
  }

  reloadIgnoringCache(): void {
    this.reload()
  }

  stop(): void {
    this.#alive()
    this.#tell(({ session }) => session.tell('Page.stopLoading'))
  }

  close(): void {
    this.#alive()
    this.#tell((target) => target.close())
  }

  forcefullyCrashRenderer(): void {
    this.#alive()
    this.#tell(({ session }) => session.tell('Page.crash'))
  }

  #alive(): void
  #alive<T>(value: T): T
  #alive<T>(value?: T): T | undefined {
    if (this.#destroyed) throw new TypeError('Object has been destroyed')
    return value
  }

  #tell(act: (target: PageTarget) => unknown): void {
    this.#ready.then(act).catch(() => {})
  }

  /** Preloads are read again at each load, as in Electron. A crashed process could not answer. */
  async #beforeLoad(): Promise<void> {
    if (!this.#crashed) await this.#frames.refresh()
    this.#crashed = false
  }

  #scripts(): { source: string; worldName?: string }[] {
    const { secret, rendererProcess } = this.#main
    const { preload, nodeIntegrationInSubFrames = false } = this.#preferences
    const preloads = [...this.#main.sessionPreloads(), ...(preload === undefined ? [] : [preload])]
    const options = {
      secret,
      preloads,
      inSubFrames: nodeIntegrationInSubFrames,
      skipEmpty: this.#skipsEmpty,
      process: rendererProcess,
    }
    return [
      { source: mainWorldScript(options) },
      { source: isolatedWorldScript(options), worldName: ISOLATED_WORLD },
    ]
  }

  /** Takes the page. Says all that it takes at once: a page that waits goes on afterwards. */
  async #attach(target: PageTarget, immediate: boolean): Promise<PageTarget> {
    this.#target = target
    const { session, id } = target
    // In a page that waits, events reach nobody; an empty one has no scripts that could be first.
    if (immediate) session.tell('Runtime.runIfWaitingForDebugger')
    if (this.#skipsEmpty) session.tell('Runtime.evaluate', { expression: LEAVE_FIRST_DOCUMENT })
    const ready = this.#frames.add(session, id, immediate)
    this.#listen(target)
    const documents = [{ urlPattern: '*', resourceType: 'Document' as const }]
    await Promise.all([ready, session.send('Fetch.enable', { patterns: documents })])
    return target
  }

  #listen({ session, id }: PageTarget): void {
    const { urls } = this.#main
    const isMainFrame = (frameId: string) => frameId === id

    session.on('Page.frameStartedNavigating', ({ frameId, url, navigationType }) => {
      this.#navigated = true
      const isSameDocument = /samedocument/i.test(navigationType)
      // A window has a frame before it has a document in Chromium.
      const empty = isMainFrame(frameId) ? this.#mainFrame : null
      const frame = this.#frames.documentOf(frameId) ?? empty
      const details = new PreventableEvent({
        url: urls.toElectron(url),
        isSameDocument,
        isMainFrame: isMainFrame(frameId),
        frame,
      })
      const { processId = 0, routingId = 0 } = currentOf(frame) ?? {}
      const { url: to } = details as unknown as { url: string }
      this.emit(
        'did-start-navigation',
        details,
        to,
        isSameDocument,
        isMainFrame(frameId),
        processId,
        routingId,
      )
    })
    session.on('Page.frameRequestedNavigation', ({ url, disposition }) => {
      if (disposition === 'currentTab') this.#navigationRequests.add(url)
    })
    session.on('Fetch.requestPaused', ({ requestId, request, frameId }) => {
      const url = request.url + (request.urlFragment ?? '')
      void this.#decide(frameId, isMainFrame(frameId), url).then((goesOn) => {
        if (goesOn) session.tell('Fetch.continueRequest', { requestId })
        else session.tell('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
      })
    })
    session.on('Page.frameNavigated', ({ frame }) => {
      const url = urls.toElectron(frame.url + (frame.urlFragment ?? ''))
      if (isMainFrame(frame.id)) {
        this.#navigationRequests.clear()
        this.#loaderId = frame.loaderId
        this.#failedUrl = frame.unreachableUrl && urls.toElectron(frame.unreachableUrl)
        if (this.#failedUrl !== undefined) return
        this.emit('did-navigate', new PreventableEvent(), url, 200, '')
      }
      this.emit('did-frame-navigate', new PreventableEvent(), url, 200, '', isMainFrame(frame.id))
    })
    session.on('Page.navigatedWithinDocument', ({ frameId, url }) => {
      const document = currentOf(this.#frames.documentOf(frameId))
      const { processId = 0, routingId = 0 } = document ?? {}
      const to = urls.toElectron(url)
      const where = [isMainFrame(frameId), processId, routingId]
      this.emit('did-navigate-in-page', new PreventableEvent(), to, ...where)
    })
    session.on('Page.frameStartedLoading', ({ frameId }) => {
      if (!isMainFrame(frameId) || this.#loading || !this.#navigated) return
      this.#loading = true
      this.emit('did-start-loading')
    })
    session.on('Page.frameStoppedLoading', ({ frameId }) => {
      if (!isMainFrame(frameId) || !this.#loading) return
      this.#loading = false
      this.emit('did-stop-loading')
    })
    session.on('Page.lifecycleEvent', ({ frameId, loaderId, name }) => {
      if (!isMainFrame(frameId) || loaderId !== this.#loaderId) return
      if (name === 'DOMContentLoaded' && this.#failedUrl === undefined) this.emit('dom-ready')
      if (name === 'load') this.#onLoad(loaderId)
    })
    session.on('Page.windowOpen', ({ url, windowName, windowFeatures }) => {
      const frameName = windowName === '_blank' ? '' : windowName
      const opening = { url, frameName, features: windowFeatures.join(',') }
      const waiter = this.#openingWaiters.shift()
      if (waiter) waiter(opening)
      else this.#openings.push(opening)
    })
  }

  /** Whether a navigation goes on: asks main of those that a page began. */
  async #decide(frameId: string, isMainFrame: boolean, url: string): Promise<boolean> {
    const names = isMainFrame ? ['will-navigate', 'will-frame-navigate'] : ['will-frame-navigate']
    if (names.every((name) => this.listenerCount(name) === 0)) return true
    // The page's process tells of its wish first, though by another way than this request came.
    if (!this.#navigationRequests.has(url)) await setTimeout(REQUEST_GRACE)
    if (this.#destroyed || !this.#navigationRequests.delete(url)) return true
    const to = this.#main.urls.toElectron(url)
    const frame = currentOf(this.#frames.documentOf(frameId))
    const details = { url: to, isSameDocument: false, isMainFrame, frame, initiator: frame }
    let goesOn = true
    for (const name of names) {
      const event = new PreventableEvent(details)
      this.emit(name, event, to, false, isMainFrame, frame?.processId, frame?.routingId)
      goesOn &&= !event.defaultPrevented
    }
    return goesOn
  }

  #onMessage(frame: WebFrameMain, message: FromWorld): void {
    if (this.#destroyed) return
    if (message.type === 'preload-error') {
      this.emit('preload-error', new PreventableEvent(), message.path, message.error)
    } else receiveIpc(this.#main.ipcMain, this, frame, message)
  }

  #onLoad(loaderId: string): void {
    if (this.#failedUrl !== undefined) {
      this.#loadFailed('net::ERR_FAILED', this.#failedUrl)
      return
    }
    void this.#readTitle().then(() => {
      if (this.#destroyed) return
      this.#finishedLoaderId = loaderId
      this.emit('did-frame-finish-load', new PreventableEvent(), true)
      this.emit('did-finish-load')
      this.#loads.get(loaderId)?.()
      this.#loads.delete(loaderId)
    })
  }

  async #readTitle(): Promise<void> {
    const title = await this.#mainFrame.executeJavaScript('document.title').catch(() => '')
    if (title === this.#title || this.#destroyed) return
    this.#title = String(title)
    this.emit('page-title-updated', new PreventableEvent(), this.#title, true)
  }

  /** Waits for the load of a document; why it failed, or nothing. */
  #loaded(loaderId: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#finishedLoaderId === loaderId) resolve(undefined)
      else this.#loads.set(loaderId, resolve)
    })
  }

  /** The result of a load. It rejects if the page is gone first, as in Electron. */
  #unlessDestroyed(url: string, loading: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new LoadError('net::ERR_FAILED', url))
      this.#givingUp.add(giveUp)
      loading.then(resolve, reject).finally(() => this.#givingUp.delete(giveUp))
    })
  }

  #settleLoads(failure: string): void {
    for (const settle of this.#loads.values()) settle(failure)
    this.#loads.clear()
  }

  #loadFailed(description: string, url: string): LoadError {
    const error = new LoadError(description, url)
    const { errno, code } = error
    this.emit('did-fail-load', new PreventableEvent(), errno, code, url, true, 0, 0)
    return error
  }

  #nextOpening(): Promise<Opening> {
    return new Promise((resolve) => this.#openingWaiters.push(resolve))
  }
}

throwOnUnplayed(WebContents, 'webContents')

/** The document, if it is not gone. */
function currentOf(frame: WebFrameMain | null): WebFrameMain | null {
  return frame === null || frame.detached ? null : frame
}

/**
 * Closes a page that waits. It shares its opener's thread, which waits with it: so it goes on first,
 * but loads nothing. Closed before that, it may take the word that lets it go along.
 */
function refuse(target: PageTarget): void {
  target.session.tell('Fetch.enable')
  target.session.tell('Runtime.runIfWaitingForDebugger')
  target.close()
}

/** A name that no page can guess. */
export function createSecret(): string {
  return `bench-${randomUUID()}`
}
