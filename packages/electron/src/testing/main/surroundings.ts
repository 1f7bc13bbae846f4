import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchRecord } from './bench-record.js'
import { unplayedMembers } from './unplayed.js'

/** Electron's `shell`: opens nothing; what it was given is in the record. */
export function createShell(record: BenchRecord): object {
  return unplayedMembers('shell', {
    openExternal: async (url: string) => void record.opened.push(url),
    openPath: async (path: string) => {
      record.opened.push(path)
      return ''
    },
    showItemInFolder: (path: string) => void record.opened.push(path),
    beep: () => {},
  })
}

/** Electron's `screen`: one display of 1920 by 1080, with a bar of 40 below. */
export function createScreen(): object {
  const display = {
    id: 1,
    label: 'bench',
    bounds: { x: 0, y: 0, width: 1920, height: 1080 },
    size: { width: 1920, height: 1080 },
    workArea: { x: 0, y: 0, width: 1920, height: 1040 },
    workAreaSize: { width: 1920, height: 1040 },
    scaleFactor: 1,
    rotation: 0,
    internal: true,
  }
  return unplayedMembers(
    'screen',
    Object.assign(new EventEmitter(), {
      getPrimaryDisplay: () => display,
      getAllDisplays: () => [display],
      getDisplayMatching: () => display,
      getDisplayNearestPoint: () => display,
      getCursorScreenPoint: () => ({ x: 0, y: 0 }),
    }),
  )
}

/** Electron's `nativeTheme`: light, unless `themeSource` says dark. */
export function createNativeTheme(): object {
  let source = 'system'
  const theme = new EventEmitter()
  Object.defineProperties(theme, {
    themeSource: {
      get: () => source,
      set: (next: string) => {
        source = next
        theme.emit('updated')
      },
    },
    shouldUseDarkColors: { get: () => source === 'dark' },
    shouldUseHighContrastColors: { value: false },
    shouldUseInvertedColorScheme: { value: false },
    inForcedColorsMode: { value: false },
    prefersReducedTransparency: { value: false },
  })
  return unplayedMembers('nativeTheme', theme)
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/** Electron's `net`: `fetch` of files, and of servers of this machine. */
export function createNet(): object {
  async function fetchLocal(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.protocol === 'file:') return fetchFile(url)
    if (!['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) {
      throw new TypeError(`The bench reaches this machine only, and not ${url.href}`)
    }
    return fetch(input, init)
  }
  return unplayedMembers('net', {
    fetch: fetchLocal,
    isOnline: () => true,
    online: true,
  })
}

async function fetchFile(url: URL): Promise<Response> {
  const path = fileURLToPath(new URL(url.pathname, 'file:'))
  try {
    const bytes = new Uint8Array(await readFile(path))
    const type = TYPES[extname(path).toLowerCase()]
    return new Response(bytes, type === undefined ? {} : { headers: { 'content-type': type } })
  } catch (cause) {
    // Chromium's words.
    throw new Error('net::ERR_FILE_NOT_FOUND', { cause })
  }
}
