import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { RpcConfigError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'

/** @returns the path of a request, without the query, which may hold a token. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** The rules for pages that connect; see the options of the same names. */
export interface PageRules {
  readonly allowedOrigins?: readonly string[] | '*'
  readonly allowedHosts?: readonly string[] | '*'
}

/**
 * @returns why a page may not connect; undefined if it may, or if the request is not a page's. Programs send no
 *   `Origin`. A page may connect from an origin that is allowed by name, and from the server's own origin: that of the
 *   request's `Host`, if this is a name of the server. Origins and names are compared as strings, letter by letter.
 *
 * Browsers let any page open a WebSocket to any server, with the server's cookies: only the server can refuse (RFC
 * 6455, section 10.2). The owner of a page can also let the page's name resolve to the server's address (DNS
 * rebinding). Then `Origin` and `Host` agree, and only the server knows that this is not one of its names.
 *
 * @param boundTo the address that the endpoint's own server listens on.
 */
export function refusalOfPage(
  request: IncomingMessage,
  { allowedOrigins, allowedHosts }: PageRules,
  boundTo?: string,
): string | undefined {
  const { origin, host } = request.headers
  if (origin === undefined || allowedOrigins === '*') return undefined
  if (allowedOrigins?.includes(origin)) return undefined
  const isOwn = host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
  if (!isOwn) {
    return `The page is from ${quoted(origin)}, and the server is ${quoted(host)}. ${remedyFor('allowedOrigins', origin, isOrigin)}`
  }
  const name = withoutPort(host)
  const known = allowedHosts
    ? allowedHosts === '*' || allowedHosts.includes(name)
    : boundTo === undefined || !isLoopback(boundTo) || isLoopbackName(name) || name === boundTo
  if (known) return undefined
  return `The server does not go by the name ${quoted(name)}. ${remedyFor('allowedHosts', name, isHostName)}`
}

/**
 * @returns the option that lets a page in; or why there is none: the value is not valid, or would let in other pages,
 *   too.
 */
function remedyFor(
  option: keyof PageRules,
  value: string,
  isRight: (value: string) => boolean,
): string {
  if (value === 'null') {
    return 'Files and sandboxed frames have the origin "null". Serve the page from a server'
  }
  const isSafe = value.length <= 200 && /^[\x21-\x7e]+$/.test(value) && !value.includes("'")
  return isSafe && isRight(value)
    ? `If you trust it, add this line to the options of createEndpoint: ${option}: ['${value}']`
    : `${quoted(value)} is not a valid ${option === 'allowedOrigins' ? 'origin' : 'host'}`
}

/** @throws {RpcConfigError} if a rule could never match, or would match more than it says. */
export function assertPageRules({ allowedOrigins, allowedHosts }: PageRules): void {
  assertTexts('allowedOrigins', allowedOrigins, isOrigin, 'https://app.example.com')
  assertTexts('allowedHosts', allowedHosts, isHostName, 'app.example.com')
}

function assertTexts(
  option: string,
  values: unknown,
  isRight: (value: string) => boolean,
  example: string,
): void {
  if (values === undefined || values === '*') return
  if (!Array.isArray(values)) {
    throw new RpcConfigError(
      `${option} must be an array such as ["${example}"], or "*". It is ${JSON.stringify(values)}`,
    )
  }
  const wrong = values.find((value) => typeof value !== 'string' || !isRight(value))
  if (wrong === undefined) return
  throw new RpcConfigError(
    `${option} has ${JSON.stringify(wrong)}, which no request can match: write it as in "${example}", with nothing after it`,
  )
}

/** Whether it is an origin as a browser writes it: `https://app.example.com`, `app://demo`, `null`. */
function isOrigin(value: string): boolean {
  if (value === 'null') return true
  if (/^https?:/i.test(value)) return URL.canParse(value) && new URL(value).origin === value
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/.test(value)
}

function isHostName(value: string): boolean {
  if (value.includes('*') || withoutPort(value) !== value) return false
  return URL.canParse(`http://${value}`) && new URL(`http://${value}`).host === value
}

/** @returns the name in a `Host` header; an IPv6 address keeps its brackets. */
function withoutPort(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  return end > 0 ? host.slice(0, end) : host
}

/** Whether browsers take a name for this machine without asking DNS (RFC 6761, section 6.3). */
function isLoopbackName(name: string): boolean {
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '127.0.0.1' || name === '[::1]'
  )
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.')
}

/** Whether a page asks, and not a program. Browsers always name the origin of the page. */
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
  // A client that never closes its half would keep the socket, and so the server, open for ever.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n\r\n${body}`)
}
