import { app, Menu, nativeImage, Tray } from 'electron'
import type { Actions } from './actions.js'
import colouredTwice from './icons/tray@2x.png?inline'
import coloured from './icons/tray.png?inline'
import blackTwice from './icons/tray-template@2x.png?inline'
import black from './icons/tray-template.png?inline'

/**
 * Puts the demo beside the clock until the app quits. Not every desktop has such a place; all that is
 * there is in the menus, too.
 */
export function createTray(actions: Actions): void {
  const isMac = process.platform === 'darwin'
  const image = nativeImage.createFromDataURL(isMac ? black : coloured)
  image.addRepresentation({ scaleFactor: 2, dataURL: isMac ? blackTwice : colouredTwice })
  // The system paints it to suit its menu bar.
  if (isMac) image.setTemplateImage(true)
  const tray = new Tray(image)
  tray.setToolTip('flashrpc demo')
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: 'Show', click: () => actions.showWindow() },
      { label: 'New window', click: () => actions.openWindow() },
      { label: 'Ask all windows', click: () => actions.askAll() },
      { type: 'separator' },
      { label: 'Quit', click: () => actions.quit() },
    ]),
  )
  // This also holds it: a tray that nobody holds vanishes.
  app.once('will-quit', () => tray.destroy())
}
