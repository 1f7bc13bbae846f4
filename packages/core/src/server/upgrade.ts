import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Whether a request's path is this one; the query does not count. */
export function isPath(request: IncomingMessage, path: string): boolean {
  const target = request.url ?? '/'
  const end = target.indexOf('?')
  return (end === -1 ? target : target.slice(0, end)) === path
}

/**
 * Whether a page of this origin may connect. Programs send no `Origin` and may; a page may from the
 * server's own origin, and from those allowed by name. Compared as strings, letter by letter.
 *
 * Browsers let any page open a WebSocket to any server, with its cookies: only the server can
 * refuse (RFC 6455, section 10.2).
 */
export function isAllowedOrigin(
  request: IncomingMessage,
  allowed: readonly string[] | '*' | undefined,
): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed === '*') return true
  if (allowed?.includes(origin)) return true
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

/** Whether a page asks, and not a program: browsers name the page's origin, always. */
export function isPage(request: IncomingMessage): boolean {
  return request.headers.origin !== undefined
}

/** Refuses an upgrade with an HTTP answer. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  body: string,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
    .map(([name, value]) => `${name}: ${value}`)
    .join('\r\n')
  // A client that never closes its half would keep the socket, and so the server, for ever.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n\r\n${body}`)
}
