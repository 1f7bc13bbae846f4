import { app, type Session, type WebContents } from 'electron'
import { ORIGIN, PAGE_URL } from './address.js'
import { openLink } from './links.js'

/** What the page's copy buttons need. It lets a page write text that the person copied, not read. */
const WRITE_CLIPBOARD = 'clipboard-sanitized-write'

/**
 * Confines whatever is shown, windows that do not exist yet included. To be called before the app is
 * ready.
 */
export function confinePages(): void {
  // Every renderer runs in the system's sandbox, whatever a window's preferences say.
  app.enableSandbox()
  app.on('web-contents-created', (_, contents) => confine(contents))
}

function confine(contents: WebContents): void {
  // The app has one page: whoever leads a window elsewhere is no friend. Reloading stays possible.
  // Compared as text, which no parser's reading of an address can undermine.
  contents.on('will-navigate', (details) => {
    if (details.url !== PAGE_URL) details.preventDefault()
  })
  contents.on('will-frame-navigate', (details) => {
    if (!details.isMainFrame || details.url !== PAGE_URL) details.preventDefault()
  })
  contents.on('will-redirect', (details) => details.preventDefault())
  // A window that a page opens would share its origin. Links of ours open in the person's browser.
  contents.setWindowOpenHandler(({ url }) => {
    openLink(url)
    return { action: 'deny' }
  })
  // There are no guests here; one that a script attaches would bring preferences of its own.
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

/** Denies the pages of a session all that browsers ask the person for, and Electron grants unasked. */
export function denyPermissions(session: Session): void {
  const isOurs = (address: string | undefined) =>
    address === ORIGIN || address?.startsWith(PAGE_URL) === true
  session.setPermissionRequestHandler((_, permission, answer, { requestingUrl }) =>
    answer(permission === WRITE_CLIPBOARD && isOurs(requestingUrl)),
  )
  session.setPermissionCheckHandler(
    (_, permission, origin) => permission === WRITE_CLIPBOARD && isOurs(origin),
  )
  session.setDevicePermissionHandler(() => false)
}
