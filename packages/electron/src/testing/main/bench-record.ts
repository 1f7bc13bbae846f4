import type { MenuItemConstructorOptions } from 'electron'

/** The windows, dialogs and so on that an app would have shown or opened, as plain values; except the trays. */
export interface BenchRecord {
  /** Dialogs, in the order in which they were asked for. */
  readonly dialogs: {
    /** The function of `dialog`, such as `showOpenDialog`. */
    readonly method: string
    /** Its arguments. */
    readonly options: unknown
  }[]
  /** Notifications that were shown. */
  readonly notifications: {
    /** The title. */
    readonly title: string
    /** The text below the title. */
    readonly body: string
  }[]
  /** The things that `shell` was asked to open. */
  readonly opened: string[]
  /** Trays that are there; their menus have items that can be clicked. */
  readonly trays: RecordedTray[]
}

/** A tray of the app's. */
export interface RecordedTray {
  /** The text that is shown over the tray. */
  readonly toolTip: string
  /** The text beside the tray. */
  readonly title: string
  /** The menu of the tray; null if it has none. */
  readonly menu: RecordedMenu | null
  /** As a click on the tray itself. */
  click(): void
}

/** A menu of the app's. */
export interface RecordedMenu {
  /** The items, from top to bottom. */
  readonly items: RecordedMenuItem[]
}

/** An item of a menu of the app's. */
export interface RecordedMenuItem {
  /** The id, as the app gave it. */
  readonly id: string
  /** The text of the item. */
  readonly label: string
  /** The kind of the item, such as `checkbox`. */
  readonly type: NonNullable<MenuItemConstructorOptions['type']>
  /** The menu that the item opens; null if it opens none. */
  readonly submenu: RecordedMenu | null
  /** Whether it can be clicked. */
  enabled: boolean
  /** Whether it is checked. */
  checked: boolean
  /** As a click of the person. */
  click(): void
}

/** An empty record. */
export function createRecord(): BenchRecord {
  return { dialogs: [], notifications: [], opened: [], trays: [] }
}
