import { app, BrowserWindow } from 'electron'
import { host } from './host.ts'
import { servePage } from './page.ts'
import { openWindow } from './window.ts'
import './security.ts'

app.on('window-all-closed', () => {
  if (process.platform !== 'darwin') app.quit()
})

let isClosed = false
app.on('before-quit', (event) => {
  if (isClosed) return
  event.preventDefault()
  // Calls that run may finish within 2 s.
  void host.close({ drain: 2_000 }).finally(() => {
    isClosed = true
    app.quit()
  })
})

// Not by `await`: the app is not ready before this module has run to its end.
void app.whenReady().then(async () => {
  servePage()
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) void openWindow()
  })
  await openWindow()
})
