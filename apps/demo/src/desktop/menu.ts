import { Menu, type MenuItemConstructorOptions } from 'electron'
import type { Actions } from './actions.js'
import { LINKS, openLink } from './links.js'

/** Shows the app's menus. */
export function showMenu(actions: Actions, isPackaged: boolean): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(template(actions, isPackaged)))
}

function template(actions: Actions, isPackaged: boolean): MenuItemConstructorOptions[] {
  const isMac = process.platform === 'darwin'
  return [
    ...(isMac ? [{ role: 'appMenu' as const }] : []),
    {
      label: '&File',
      submenu: [
        {
          id: 'new-window',
          label: 'New window',
          accelerator: 'CmdOrCtrl+N',
          click: () => actions.openWindow(),
        },
        {
          id: 'watch-folder',
          label: 'Watch another folder…',
          accelerator: 'CmdOrCtrl+O',
          click: () => actions.watch(),
        },
        {
          id: 'open-in-browser',
          label: 'Open in a browser too',
          accelerator: 'CmdOrCtrl+B',
          click: () => actions.openInBrowser(),
        },
        { type: 'separator' },
        { role: 'close', label: 'Close window' },
        ...(isMac ? [] : [{ id: 'quit', role: 'quit' as const, label: 'Quit' }]),
      ],
    },
    {
      label: '&Ask',
      submenu: [
        {
          id: 'ask-all',
          label: 'Ask all windows',
          accelerator: 'CmdOrCtrl+Shift+A',
          click: () => actions.askAll(),
        },
        { id: 'ask-this', label: 'Ask this window', click: () => actions.askThis() },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { role: 'reload' },
        ...(isPackaged ? [] : [{ role: 'toggleDevTools' as const }]),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'What goes over the port: JSON-RPC 2.0', click: () => openLink(LINKS.jsonRpc) },
        { label: 'Electron’s security checklist', click: () => openLink(LINKS.security) },
      ],
    },
  ]
}
