import Module, { register } from 'node:module'
import { unplayedModule } from '../main/unplayed.js'

/** The exports of Electron's main process that the bench does not play. */
const NAMES = [
  'app',
  'autoUpdater',
  'BaseWindow',
  'BrowserView',
  'BrowserWindow',
  'clipboard',
  'contentTracing',
  'crashReporter',
  'desktopCapturer',
  'dialog',
  'globalShortcut',
  'ImageView',
  'inAppPurchase',
  'ipcMain',
  'Menu',
  'MenuItem',
  'MessageChannelMain',
  'MessagePortMain',
  'nativeImage',
  'nativeTheme',
  'net',
  'netLog',
  'Notification',
  'powerMonitor',
  'powerSaveBlocker',
  'protocol',
  'pushNotifications',
  'safeStorage',
  'screen',
  'session',
  'ShareMenu',
  'shell',
  'systemPreferences',
  'TouchBar',
  'Tray',
  'utilityProcess',
  'View',
  'webContents',
  'WebContentsView',
  'webFrameMain',
]

const SPECIFIERS = ['electron', 'electron/main', 'electron/common']
const KEY = 'flashrpc.electron-module'

type Load = (this: unknown, request: string, ...rest: unknown[]) => unknown

/**
 * Makes `import … from 'electron'` and `require('electron')` give this object in this process, and
 * never the npm package, which would start a download.
 *
 * @returns the module: what is played, and the rest, whose use throws.
 */
export function provideElectron(played: Readonly<Record<string, unknown>>): object {
  const electron = Object.fromEntries(
    NAMES.map((name) => [name, Object.hasOwn(played, name) ? played[name] : unplayedModule(name)]),
  )
  Object.defineProperty(globalThis, Symbol.for(KEY), { value: electron })

  const loader = Module as unknown as { _load: Load }
  const load = loader._load
  loader._load = function (request, ...rest) {
    return SPECIFIERS.includes(request) ? electron : load.call(this, request, ...rest)
  }

  const exported = NAMES.map((name) => `export const ${name} = electron.${name}`)
  const source = [
    `const electron = globalThis[Symbol.for(${JSON.stringify(KEY)})]`,
    'export default electron',
    ...exported,
  ].join('\n')
  const hooks = `
    const url = ${JSON.stringify(dataUrl(source))}
    export async function resolve(specifier, context, next) {
      if (!${JSON.stringify(SPECIFIERS)}.includes(specifier)) return next(specifier, context)
      return { url, format: 'module', shortCircuit: true }
    }`
  register(dataUrl(hooks))
  return electron
}

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`
}
