import { EventEmitter } from 'node:events'
import type { MenuItemConstructorOptions } from 'electron'
import { throwOnUnplayed } from './unplayed.js'

/** The action of a click on an item with a role. A role without one does nothing on the bench. */
export type MenuRoles = Partial<Record<string, () => void>>

interface Classes {
  readonly MenuItem: new (options: MenuItemConstructorOptions) => PlayedMenuItem
  readonly Menu: new () => PlayedMenu
}

/** Electron's MenuItem. */
export class PlayedMenuItem {
  readonly id: string
  readonly type: NonNullable<MenuItemConstructorOptions['type']>
  readonly role: string | undefined
  readonly accelerator: string | undefined
  readonly submenu: PlayedMenu | null
  readonly click: (...args: unknown[]) => void
  label: string
  sublabel: string
  toolTip: string
  enabled: boolean
  visible: boolean
  checked: boolean
  menu: PlayedMenu | undefined

  constructor(classes: Classes, roles: MenuRoles, options: MenuItemConstructorOptions) {
    const { submenu, role, label = role ?? '', click } = options
    this.type = options.type ?? (submenu ? 'submenu' : 'normal')
    this.id = options.id ?? ''
    this.role = role
    this.label = label
    this.sublabel = options.sublabel ?? ''
    this.toolTip = options.toolTip ?? ''
    this.accelerator = options.accelerator
    this.enabled = options.enabled ?? true
    this.visible = options.visible ?? true
    this.checked = options.checked ?? false
    this.submenu = Array.isArray(submenu)
      ? PlayedMenu.build(classes, submenu)
      : ((submenu as unknown as PlayedMenu | undefined) ?? null)
    this.click = (...args) => {
      if (!this.enabled) return
      if (this.type === 'checkbox') this.checked = !this.checked
      if (this.type === 'radio') this.checked = true
      if (role !== undefined) roles[role.toLowerCase()]?.()
      if (click) Reflect.apply(click, this, [this, ...args])
    }
  }
}

throwOnUnplayed(PlayedMenuItem, 'MenuItem')

/** Electron's Menu: never seen, and its items can be clicked. */
export class PlayedMenu extends EventEmitter {
  readonly items: PlayedMenuItem[] = []

  static build(
    classes: Classes,
    template: readonly (MenuItemConstructorOptions | PlayedMenuItem)[],
  ): PlayedMenu {
    const menu = new classes.Menu()
    for (const item of template) {
      menu.append(item instanceof PlayedMenuItem ? item : new classes.MenuItem(item))
    }
    return menu
  }

  append(item: PlayedMenuItem): void {
    this.insert(this.items.length, item)
  }

  insert(position: number, item: PlayedMenuItem): void {
    item.menu = this
    this.items.splice(position, 0, item)
  }

  getMenuItemById(id: string): PlayedMenuItem | null {
    for (const item of this.items) {
      const found = item.id === id ? item : item.submenu?.getMenuItemById(id)
      if (found) return found
    }
    return null
  }

  popup({ callback }: { callback?: () => void } = {}): void {
    this.emit('menu-will-show')
    callback?.()
  }

  closePopup(): void {
    this.emit('menu-will-close')
  }
}

throwOnUnplayed(PlayedMenu, 'Menu')

/** Electron's `Menu` and `MenuItem`, of one app. */
export function createMenuClasses(roles: MenuRoles): Classes {
  class MenuItem extends PlayedMenuItem {
    constructor(options: MenuItemConstructorOptions) {
      super(classes, roles, options)
    }
  }
  let applicationMenu: PlayedMenu | null = null
  class Menu extends PlayedMenu {
    static buildFromTemplate(template: (MenuItemConstructorOptions | PlayedMenuItem)[]) {
      return PlayedMenu.build(classes, template)
    }

    static setApplicationMenu(menu: PlayedMenu | null): void {
      applicationMenu = menu
    }

    static getApplicationMenu(): PlayedMenu | null {
      return applicationMenu
    }

    static sendActionToFirstResponder(): void {}
  }
  const classes: Classes = { Menu, MenuItem }
  return classes
}
