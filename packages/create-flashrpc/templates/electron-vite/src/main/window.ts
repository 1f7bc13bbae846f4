import { join } from 'node:path'
import { BrowserWindow } from 'electron'
import { ORIGIN } from './page.ts'

/** Opens a window. It resolves when its page has loaded. */
export async function openWindow(): Promise<void> {
  const window = new BrowserWindow({
    width: 800,
    height: 600,
    webPreferences: { preload: join(import.meta.dirname, '../preload/index.cjs'), sandbox: true },
  })
  await window.loadURL(`${ORIGIN}/`)
}
