import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { PAGE_URL } from './address.js'

/** What the address without a path shows. */
const INDEX = 'desktop.html'

/** What the built page is made of; nothing else is served. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * The page runs its own scripts and styles and reaches nothing: it talks to main over a port, which
 * needs no permission here.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  // A file is what its type says, never what it looks like.
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

interface PageFile {
  readonly path: string
  readonly type: string
}

/**
 * Makes what answers requests for the files of a folder: those that were there when it was made.
 *
 * A request only chooses among these; no path is ever made of its address, and so none can lead out
 * of the folder, however it is written. Links are not followed.
 */
export async function createPageFiles(
  folder: string,
): Promise<(request: Request) => Promise<Response>> {
  const files = new Map<string, PageFile>()
  await collect(folder, '/', files)
  const index = files.get(`/${INDEX}`)
  if (index) files.set('/', index)
  return async ({ url, method }) => {
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'Files are only read here')
    const file = files.get(pathOf(url) ?? '')
    if (!file) return refuse(404, 'There is no such file')
    try {
      const content = method === 'HEAD' ? null : new Uint8Array(await readFile(file.path))
      return new Response(content, { headers: { ...HEADERS, 'Content-Type': file.type } })
    } catch {
      return refuse(404, 'The file is gone: build the demo again')
    }
  }
}

/** The path of one of our addresses; undefined where it is not ours, or no address at all. */
function pathOf(url: string): string | undefined {
  // Compared as text: URL parsers differ on schemes that they do not know.
  if (!url.startsWith(PAGE_URL)) return undefined
  const path = url.slice(PAGE_URL.length - 1)
  return path.split(/[?#]/, 1)[0]
}

function refuse(status: number, why: string): Response {
  const headers = { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' }
  return new Response(`${why}\n`, { status, headers })
}

async function collect(folder: string, at: string, files: Map<string, PageFile>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const type = CONTENT_TYPES[extname(entry.name)]
    if (entry.isDirectory()) await collect(path, `${at}${entry.name}/`, files)
    else if (entry.isFile() && type) files.set(`${at}${entry.name}`, { path, type })
  }
}
