import { EventEmitter } from 'node:events'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlayedBrowserWindow } from './browser-window.js'
import { PreventableEvent } from './preventable-event.js'
import { throwOnUnplayed, unplayedMembers } from './unplayed.js'

/** The description of an app, which Electron reads from its package. */
export interface AppDescription {
  readonly name: string
  readonly version: string
  /** The app's folder. */
  readonly path: string
  /** A folder for what the app keeps; goes with the bench. */
  readonly userData: string
  readonly arguments: readonly string[]
}

/** The functions of the bench that the app uses. */
export interface AppSurroundings {
  windows(): readonly PlayedBrowserWindow[]
  /** Ends the process, or the bench's play of it. */
  exit(code: number): void
}

/** Electron's `app`. */
export class PlayedApp extends EventEmitter {
  readonly #description: AppDescription
  readonly #surroundings: AppSurroundings
  readonly #paths = new Map<string, string>()
  readonly #switches = new Map<string, string>()
  readonly commandLine: object
  readonly isPackaged = false
  readonly dock = undefined
  userAgentFallback = ''
  allowRendererProcessReuse = true
  accessibilitySupportEnabled = false
  #name: string
  #isReady = false
  #isQuitting = false
  #resolveReady: () => void = () => {}
  #onAwaited: () => void = () => {}
  readonly #ready = new Promise<void>((resolve) => {
    this.#resolveReady = resolve
  })

  constructor(description: AppDescription, surroundings: AppSurroundings) {
    super()
    this.#description = description
    this.#surroundings = surroundings
    this.#name = description.name
    for (const argument of description.arguments) {
      const [, name, value = ''] = /^--([^=]+)(?:=(.*))?$/.exec(argument) ?? []
      if (name !== undefined) this.#switches.set(name, value)
    }
    this.commandLine = unplayedMembers('app.commandLine', {
      appendSwitch: (name: string, value = '') => void this.#switches.set(name, value),
      appendArgument: () => {},
      hasSwitch: (name: string) => this.#switches.has(name),
      getSwitchValue: (name: string) => this.#switches.get(name) ?? '',
      removeSwitch: (name: string) => void this.#switches.delete(name),
    })
    this.on('newListener', (name) => {
      if (name === 'ready') this.#onAwaited()
    })
  }

  /** For the bench: the app is ready; what waits for it goes on. */
  static becomeReady(app: PlayedApp): void {
    if (app.#isReady) return
    app.#isReady = true
    app.emit('will-finish-launching')
    app.emit('ready', new PreventableEvent(), {})
    app.#resolveReady()
  }

  /** For the bench: resolves once the app's code waits for its being ready. */
  static awaited(app: PlayedApp): Promise<void> {
    return new Promise((resolve) => {
      app.#onAwaited = resolve
    })
  }

  /** For the bench: a window is gone. The last one ends an app that does not say otherwise. */
  static onWindowClosed(app: PlayedApp): void {
    if (app.#surroundings.windows().length > 0) return
    if (app.#isQuitting) app.#willQuit()
    else if (!app.emit('window-all-closed')) app.quit()
  }

  whenReady(): Promise<void> {
    this.#onAwaited()
    return this.#ready
  }

  isReady(): boolean {
    return this.#isReady
  }

  quit(): void {
    if (this.#isQuitting) return
    const event = new PreventableEvent()
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    this.#isQuitting = true
    const windows = this.#surroundings.windows()
    if (windows.length === 0) return this.#willQuit()
    for (const window of windows) {
      // A window that does not close keeps the app.
      window.once('close', (close: PreventableEvent) => {
        setImmediate(() => {
          if (close.defaultPrevented) this.#isQuitting = false
        })
      })
      window.close()
    }
  }

  exit(code = 0): void {
    this.#isQuitting = true
    for (const window of this.#surroundings.windows()) window.destroy()
    this.emit('quit', new PreventableEvent(), code)
    this.#surroundings.exit(code)
  }

  relaunch(): void {}

  focus(): void {}

  hide(): void {}

  show(): void {}

  isHidden(): boolean {
    return false
  }

  enableSandbox(): void {
    if (this.#isReady) throw new Error('app.enableSandbox() can only be called before app is ready')
  }

  disableHardwareAcceleration(): void {}

  setAppUserModelId(): void {}

  setAboutPanelOptions(): void {}

  requestSingleInstanceLock(): boolean {
    return true
  }

  hasSingleInstanceLock(): boolean {
    return true
  }

  releaseSingleInstanceLock(): void {}

  setAsDefaultProtocolClient(): boolean {
    return true
  }

  isDefaultProtocolClient(): boolean {
    return false
  }

  removeAsDefaultProtocolClient(): boolean {
    return true
  }

  setLoginItemSettings(): void {}

  getLocale(): string {
    return 'en-US'
  }

  getSystemLocale(): string {
    return 'en-US'
  }

  getLocaleCountryCode(): string {
    return 'US'
  }

  getPreferredSystemLanguages(): string[] {
    return ['en-US']
  }

  getAppPath(): string {
    return this.#description.path
  }

  get name(): string {
    return this.#name
  }

  set name(name: string) {
    this.#name = name
  }

  getName(): string {
    return this.#name
  }

  setName(name: string): void {
    this.#name = name
  }

  getVersion(): string {
    return this.#description.version
  }

  getPath(name: string): string {
    const set = this.#paths.get(name)
    if (set !== undefined) return set
    const { userData, path } = this.#description
    switch (name) {
      case 'userData':
      case 'sessionData':
      case 'appData':
        return userData
      case 'logs':
      case 'crashDumps':
        return join(userData, name)
      case 'temp':
        return tmpdir()
      case 'home':
        return homedir()
      case 'exe':
        return process.execPath
      case 'module':
        return path
      case 'desktop':
      case 'documents':
      case 'downloads':
      case 'music':
      case 'pictures':
      case 'videos':
        // Not the user's own: a test must not write there.
        return join(userData, name)
      default:
        throw new Error(`Failed to get '${name}' path`)
    }
  }

  setPath(name: string, path: string): void {
    this.#paths.set(name, path)
  }

  setAppLogsPath(path?: string): void {
    if (path !== undefined) this.setPath('logs', path)
  }

  getAppMetrics(): [] {
    return []
  }

  getGPUFeatureStatus(): object {
    return {}
  }

  #willQuit(): void {
    const event = new PreventableEvent()
    this.emit('will-quit', event)
    if (event.defaultPrevented) {
      this.#isQuitting = false
      return
    }
    this.emit('quit', new PreventableEvent(), 0)
    this.#surroundings.exit(0)
  }
}

throwOnUnplayed(PlayedApp, 'app')
