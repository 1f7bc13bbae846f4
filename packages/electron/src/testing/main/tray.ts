import { EventEmitter } from 'node:events'
import type { BenchRecord, RecordedMenu, RecordedTray } from './bench-record.js'
import type { PlayedMenu } from './menu.js'
import { PreventableEvent } from './preventable-event.js'
import { throwOnUnplayed } from './unplayed.js'

/** Electron's Tray: never seen; what it has is in the record. */
export class PlayedTray extends EventEmitter {
  readonly #record: BenchRecord
  readonly #recorded: RecordedTray
  #toolTip = ''
  #title = ''
  #menu: PlayedMenu | null = null
  #destroyed = false

  constructor(record: BenchRecord) {
    super()
    const tray = this
    this.#record = record
    this.#recorded = {
      get toolTip() {
        return tray.#toolTip
      },
      get title() {
        return tray.#title
      },
      get menu() {
        return tray.#menu as RecordedMenu | null
      },
      click: () => void tray.emit('click', new PreventableEvent(), tray.getBounds()),
    }
    record.trays.push(this.#recorded)
  }

  setToolTip(toolTip: string): void {
    this.#toolTip = toolTip
  }

  setTitle(title: string): void {
    this.#title = title
  }

  getTitle(): string {
    return this.#title
  }

  setContextMenu(menu: PlayedMenu | null): void {
    this.#menu = menu
  }

  popUpContextMenu(): void {}

  closeContextMenu(): void {}

  setImage(): void {}

  setPressedImage(): void {}

  setIgnoreDoubleClickEvents(): void {}

  focus(): void {}

  getBounds() {
    return { x: 0, y: 0, width: 16, height: 16 }
  }

  isDestroyed(): boolean {
    return this.#destroyed
  }

  destroy(): void {
    this.#destroyed = true
    const at = this.#record.trays.indexOf(this.#recorded)
    if (at >= 0) this.#record.trays.splice(at, 1)
  }
}

throwOnUnplayed(PlayedTray, 'Tray')
