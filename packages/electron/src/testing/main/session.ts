import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { PreloadScript, PreloadScriptRegistration } from 'electron'
import type { PlayedProtocol } from './protocol.js'
import { throwOnUnplayed, unplayedMembers } from './unplayed.js'

/** Electron's Session. There is one; what it permits and filters is recorded, and not played. */
export class PlayedSession extends EventEmitter {
  readonly #preloads: PreloadScript[] = []
  readonly #onPreloads: () => void
  readonly #recorded = new Map<string, unknown>()
  readonly protocol: PlayedProtocol
  readonly webRequest: object

  /** @param onPreloads - Called when the list of preloads changed. */
  constructor(protocol: PlayedProtocol, onPreloads: () => void) {
    super()
    this.protocol = protocol
    this.#onPreloads = onPreloads
    const filters = [
      'onBeforeRequest',
      'onBeforeSendHeaders',
      'onSendHeaders',
      'onHeadersReceived',
      'onResponseStarted',
      'onBeforeRedirect',
      'onCompleted',
      'onErrorOccurred',
    ]
    const record = (name: string) => [name, (...args: unknown[]) => this.#record(name, args.at(-1))]
    this.webRequest = unplayedMembers('webRequest', Object.fromEntries(filters.map(record)))
  }

  /** For the bench: what was given to a member that is recorded only. */
  static recordOf(session: PlayedSession, member: string): unknown {
    return session.#recorded.get(member)
  }

  /** For the bench: files of the preloads of frames, in the order in which they run. */
  static preloadsOf(session: PlayedSession): string[] {
    return session.#preloads.flatMap(({ type, filePath }) => (type === 'frame' ? [filePath] : []))
  }

  registerPreloadScript({ id = randomUUID(), ...script }: PreloadScriptRegistration): string {
    if (this.#preloads.some((each) => each.id === id)) {
      throw new Error(`Cannot register preload script with existing ID '${id}'`)
    }
    this.#preloads.push({ ...script, id })
    this.#onPreloads()
    return id
  }

  unregisterPreloadScript(id: string): void {
    const at = this.#preloads.findIndex((each) => each.id === id)
    if (at < 0) throw new Error(`Cannot unregister preload script with non-existing ID '${id}'`)
    this.#preloads.splice(at, 1)
    this.#onPreloads()
  }

  getPreloadScripts(): PreloadScript[] {
    return [...this.#preloads]
  }

  isPersistent(): boolean {
    return true
  }

  getUserAgent(): string {
    return ''
  }

  setPermissionRequestHandler(handler: unknown): void {
    this.#record('setPermissionRequestHandler', handler)
  }

  setPermissionCheckHandler(handler: unknown): void {
    this.#record('setPermissionCheckHandler', handler)
  }

  setDevicePermissionHandler(handler: unknown): void {
    this.#record('setDevicePermissionHandler', handler)
  }

  setCertificateVerifyProc(handler: unknown): void {
    this.#record('setCertificateVerifyProc', handler)
  }

  setDisplayMediaRequestHandler(handler: unknown): void {
    this.#record('setDisplayMediaRequestHandler', handler)
  }

  setSpellCheckerEnabled(on: boolean): void {
    this.#record('setSpellCheckerEnabled', on)
  }

  clearCache(): Promise<void> {
    return Promise.resolve()
  }

  clearStorageData(): Promise<void> {
    return Promise.resolve()
  }

  #record(member: string, given: unknown): void {
    this.#recorded.set(member, given)
  }
}

throwOnUnplayed(PlayedSession, 'session')
