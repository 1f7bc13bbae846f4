import type { MenuItemConstructorOptions } from 'electron'

/** What an app would have shown or opened; plain values, but for the trays. */
export interface BenchRecord {
  /** Dialogs, in the order in which they were asked for. */
  readonly dialogs: { readonly method: string; readonly options: unknown }[]
  /** Notifications that were shown. */
  readonly notifications: { readonly title: string; readonly body: string }[]
  /** What `shell` was given to open. */
  readonly opened: string[]
  /** Trays that are there; their menus have items that can be clicked. */
  readonly trays: RecordedTray[]
}

/** A tray of the app's. */
export interface RecordedTray {
  readonly toolTip: string
  readonly title: string
  readonly menu: RecordedMenu | null
  /** As a click on the tray itself. */
  click(): void
}

/** A menu of the app's. */
export interface RecordedMenu {
  readonly items: RecordedMenuItem[]
}

/** An item of a menu of the app's. */
export interface RecordedMenuItem {
  readonly id: string
  readonly label: string
  readonly type: NonNullable<MenuItemConstructorOptions['type']>
  readonly submenu: RecordedMenu | null
  enabled: boolean
  checked: boolean
  /** As a click of the person. */
  click(): void
}

/** An empty record. */
export function createRecord(): BenchRecord {
  return { dialogs: [], notifications: [], opened: [], trays: [] }
}
