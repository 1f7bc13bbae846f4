import { describeBrowser } from '../lib/describe-browser.js'
import type { Surface } from './surface.js'

/** A browser's page, and a server. */
export const browserSurface: Surface = {
  page: 'page',
  host: { begin: 'The server', within: 'the server' },
  wire: 'WebSocket',
  controlPage: './control.html',
  tellsPages: true,
  headline: { inward: 'The server calls this page.', outward: 'The page calls the server.' },
  loadTitle: 'The server’s machine',
  steps: {
    change: { title: 'Save a file', text: 'The server notifies this page.' },
    ask: { title: 'Let it ask you', text: 'From a terminal.' },
    hash: { title: 'Hash a file', text: 'This page calls the server.' },
    restart: { title: 'Kill the server', text: 'Ctrl+C, and start it again.' },
  },
  done: [],
  name: describeBrowser(navigator.userAgent),
}
