import { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { NotPlayedError } from '../bench-errors.js'
import type { Popup } from '../browser/targets.js'
import type { MainSide } from './main-side.js'
import { PreventableEvent } from './preventable-event.js'
import { throwOnUnplayed } from './unplayed.js'
import { WebContents } from './web-contents.js'
import type { WebPreferences } from './web-preferences.js'

/** A page that another page opened, and the preferences of the window that is made for it. */
export interface Adoption {
  readonly popup: Popup
  readonly preferences: WebPreferences
}

/**
 * Electron's BrowserWindow. Its page is real; what only a screen shows (bounds, focus, icons) is a
 * record that can be read back.
 */
export class PlayedBrowserWindow extends EventEmitter {
  readonly #id: number
  readonly #webContents: WebContents
  readonly #options: BrowserWindowConstructorOptions
  #bounds: Rectangle
  #minimumSize = [0, 0]
  #title: string
  #visible: boolean
  #focused = false
  #state: 'normal' | 'minimized' | 'maximized' = 'normal'
  #flags = new Map<string, boolean>()
  #destroyed = false

  constructor(main: MainSide, options: BrowserWindowConstructorOptions = {}, adoption?: Adoption) {
    super()
    refuseUnplayed(options)
    this.#id = main.nextId('window')
    this.#options = options
    const { x = 0, y = 0, width = 800, height = 600, title = 'Electron', show = true } = options
    this.#bounds = { x, y, width, height }
    this.#title = title
    this.#visible = show
    this.#focused = show
    const { preload, nodeIntegrationInSubFrames } = options.webPreferences ?? {}
    this.#webContents = new WebContents(
      main,
      adoption?.preferences ?? { preload, nodeIntegrationInSubFrames },
      adoption?.popup,
    )
    this.#webContents.on('page-title-updated', (event: PreventableEvent, title: string) => {
      this.emit('page-title-updated', event, title, true)
      if (!event.defaultPrevented) this.#title = title
    })
    let shown = false
    this.#webContents.on('dom-ready', () => {
      if (!shown) this.emit('ready-to-show')
      shown = true
    })
    this.#webContents.once('destroyed', () => this.#gone())
  }

  /** For the bench: the contents of the window, also after it is gone. */
  static contentsOf(window: PlayedBrowserWindow): WebContents {
    return window.#webContents
  }

  get id(): number {
    return this.#alive(this.#id)
  }

  get webContents(): WebContents {
    return this.#alive(this.#webContents)
  }

  get title(): string {
    return this.getTitle()
  }

  set title(title: string) {
    this.setTitle(title)
  }

  isDestroyed(): boolean {
    return this.#destroyed
  }

  loadURL(url: string): Promise<void> {
    return this.webContents.loadURL(url)
  }

  loadFile(
    path: string,
    { query, hash }: { query?: Record<string, string>; hash?: string; search?: string } = {},
  ): Promise<void> {
    const url = pathToFileURL(resolve(path))
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value)
    if (hash !== undefined) url.hash = hash
    return this.loadURL(url.href)
  }

  reload(): void {
    this.webContents.reload()
  }

  /** Asks listeners of `close`, then the page, then goes. */
  close(): void {
    this.#alive()
    const event = new PreventableEvent()
    this.emit('close', event)
    if (!event.defaultPrevented && !this.#destroyed) this.#webContents.close()
  }

  /** Goes at once, and asks nobody. */
  destroy(): void {
    if (this.#destroyed) return
    this.#webContents.close()
    WebContents.destroy(this.#webContents)
  }

  show(): void {
    this.#alive()
    this.#focused = true
    if (this.#visible) return
    this.#visible = true
    this.emit('show')
  }

  showInactive(): void {
    this.#alive()
    this.#visible = true
    this.emit('show')
  }

  hide(): void {
    this.#alive()
    this.#focused = false
    if (!this.#visible) return
    this.#visible = false
    this.emit('hide')
  }

  focus(): void {
    this.#alive()
    this.#focused = true
    this.emit('focus')
  }

  blur(): void {
    this.#alive()
    this.#focused = false
    this.emit('blur')
  }

  isVisible(): boolean {
    return this.#alive(this.#visible)
  }

  isFocused(): boolean {
    return this.#alive(this.#focused)
  }

  minimize(): void {
    this.#become('minimized', 'minimize')
  }

  maximize(): void {
    this.#become('maximized', 'maximize')
  }

  restore(): void {
    this.#become('normal', 'restore')
  }

  unmaximize(): void {
    this.#become('normal', 'unmaximize')
  }

  isMinimized(): boolean {
    return this.#alive(this.#state === 'minimized')
  }

  isMaximized(): boolean {
    return this.#alive(this.#state === 'maximized')
  }

  getTitle(): string {
    return this.#alive(this.#title)
  }

  setTitle(title: string): void {
    this.#alive()
    this.#title = title
  }

  getBounds(): Rectangle {
    return this.#alive({ ...this.#bounds })
  }

  getContentBounds(): Rectangle {
    return this.getBounds()
  }

  getNormalBounds(): Rectangle {
    return this.getBounds()
  }

  setBounds(bounds: Partial<Rectangle>): void {
    this.#alive()
    this.#bounds = { ...this.#bounds, ...bounds }
  }

  getSize(): number[] {
    return this.#alive([this.#bounds.width, this.#bounds.height])
  }

  setSize(width: number, height: number): void {
    this.setBounds({ width, height })
    this.emit('resize')
  }

  getPosition(): number[] {
    return this.#alive([this.#bounds.x, this.#bounds.y])
  }

  setPosition(x: number, y: number): void {
    this.setBounds({ x, y })
    this.emit('move')
  }

  setMinimumSize(width: number, height: number): void {
    this.#alive()
    this.#minimumSize = [width, height]
  }

  getMinimumSize(): number[] {
    return this.#alive(this.#minimumSize)
  }

  center(): void {
    this.#alive()
  }

  isFullScreen(): boolean {
    return this.#flag('fullScreen')
  }

  setFullScreen(on: boolean): void {
    this.#setFlag('fullScreen', on)
  }

  isAlwaysOnTop(): boolean {
    return this.#flag('alwaysOnTop')
  }

  setAlwaysOnTop(on: boolean): void {
    this.#setFlag('alwaysOnTop', on)
  }

  isResizable(): boolean {
    return this.#flag('resizable', this.#options.resizable ?? true)
  }

  setResizable(on: boolean): void {
    this.#setFlag('resizable', on)
  }

  isMenuBarVisible(): boolean {
    return this.#flag('menuBarVisible', !this.#options.autoHideMenuBar)
  }

  setMenuBarVisibility(on: boolean): void {
    this.#setFlag('menuBarVisible', on)
  }

  setAutoHideMenuBar(on: boolean): void {
    this.#setFlag('autoHideMenuBar', on)
  }

  isMovable(): boolean {
    return this.#flag('movable', true)
  }

  isClosable(): boolean {
    return this.#flag('closable', this.#options.closable ?? true)
  }

  flashFrame(on: boolean): void {
    this.#setFlag('flashing', on)
  }

  setMenu(): void {
    this.#alive()
  }

  removeMenu(): void {
    this.#alive()
  }

  setIcon(): void {
    this.#alive()
  }

  setBackgroundColor(): void {
    this.#alive()
  }

  setProgressBar(): void {
    this.#alive()
  }

  setOverlayIcon(): void {
    this.#alive()
  }

  setSkipTaskbar(on: boolean): void {
    this.#setFlag('skipTaskbar', on)
  }

  setContentProtection(on: boolean): void {
    this.#setFlag('contentProtection', on)
  }

  isModal(): boolean {
    return this.#alive(this.#options.modal ?? false)
  }

  #become(state: 'normal' | 'minimized' | 'maximized', event: string): void {
    this.#alive()
    this.#state = state
    this.emit(event)
  }

  #flag(name: string, otherwise = false): boolean {
    return this.#alive(this.#flags.get(name) ?? otherwise)
  }

  #setFlag(name: string, on: boolean): void {
    this.#alive()
    this.#flags.set(name, on)
  }

  #gone(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.emit('closed')
  }

  #alive(): void
  #alive<T>(value: T): T
  #alive<T>(value?: T): T | undefined {
    if (this.#destroyed) throw new TypeError('Object has been destroyed')
    return value
  }
}

throwOnUnplayed(PlayedBrowserWindow, 'BrowserWindow')

/**
 * Options that would give a preload other powers than the bench can. They are refused, so that no test passes for a
 * wrong reason.
 */
function refuseUnplayed({ webPreferences = {} }: BrowserWindowConstructorOptions): void {
  const { nodeIntegration, contextIsolation, webviewTag, sandbox } = webPreferences
  if (nodeIntegration && sandbox !== true)
    throw new NotPlayedError('webPreferences.nodeIntegration')
  if (contextIsolation === false) throw new NotPlayedError('webPreferences.contextIsolation: false')
  if (webviewTag) throw new NotPlayedError('webPreferences.webviewTag')
}
