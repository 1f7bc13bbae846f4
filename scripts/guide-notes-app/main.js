import { join } from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, Menu, nativeImage, protocol, Tray } from 'electron'

/** The app that the tests of docs/guide/electron-testing.md are for. */

protocol.registerSchemesAsPrivileged([
  { scheme: 'app', privileges: { standard: true, secure: true } },
])

const PAGE = `<!doctype html>
<button onclick="notes.remove().then((text) => { output.textContent = text })">Delete</button>
<output id="output"></output>`

ipcMain.handle('notes:remove', async () => {
  const options = { message: 'Delete all?', buttons: ['Keep', 'Delete'] }
  const { response } = await dialog.showMessageBox(options)
  return response === 1 ? 'Deleted' : 'Kept'
})

function openWindow() {
  const preload = join(import.meta.dirname, 'preload.cjs')
  const window = new BrowserWindow({ webPreferences: { preload } })
  void window.loadURL('app://notes/')
}

app.on('window-all-closed', () => app.quit())
await app.whenReady()
protocol.handle('app', () => new Response(PAGE, { headers: { 'content-type': 'text/html' } }))
Menu.setApplicationMenu(
  Menu.buildFromTemplate([{ id: 'new-window', label: 'New window', click: openWindow }]),
)
new Tray(nativeImage.createEmpty()).setToolTip('notes')
openWindow()
