import { readFile } from 'node:fs/promises'
import { extname, join, resolve, sep } from 'node:path'
import { app, protocol } from 'electron'

/** Vite's server, while you develop. */
const devServer = app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL

/** Where the page is from. A packaged app has a scheme of its own: the origin of a `file:` page would be "null". */
export const ORIGIN = devServer ? new URL(devServer).origin : 'app://my-app'

const FOLDER = join(import.meta.dirname, '../renderer')
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'"

// Before the app is ready.
protocol.registerSchemesAsPrivileged([
  { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
])

/** Serves the built page, and no other file, as `app://my-app`. */
export function servePage(): void {
  protocol.handle('app', async ({ url }) => {
    const { host, pathname } = new URL(url)
    const file = resolve(FOLDER, `.${pathname === '/' ? '/index.html' : pathname}`)
    const type = TYPES[extname(file)]
    // No address leads out of the folder, however it is written.
    const isOurs = `app://${host}` === ORIGIN && file.startsWith(FOLDER + sep)
    const content = isOurs && type ? await readFile(file).catch(() => undefined) : undefined
    if (!content || !type) return new Response('There is no such file', { status: 404 })
    const headers = { 'Content-Type': type, 'Content-Security-Policy': POLICY }
    return new Response(new Uint8Array(content), { headers })
  })
}
