import { app, session } from 'electron'
import { ORIGIN } from './page.ts'

// Before the app is ready.
app.enableSandbox()
app.on('web-contents-created', (_, contents) => {
  contents.on('will-navigate', (event) => {
    if (!event.url.startsWith(`${ORIGIN}/`)) event.preventDefault()
  })
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
})
void app.whenReady().then(() => {
  session.defaultSession.setPermissionRequestHandler((_, _permission, answer) => answer(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
})
