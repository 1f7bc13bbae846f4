import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http'
import { getProxyForUrl } from 'proxy-from-env'
import { WebSocket } from '#ws'
import { assertOptions } from '../../errors/assert-options.js'
import { describeThrown, RpcConfigError, RpcProxyError } from '../../errors/errors.js'
import { kindOf, type OptionKinds } from '../../errors/options.js'
import { plain } from '../../errors/quoted.js'
import { wsTransport } from '../../transport/node/fast-ws-transport.js'
import { connectDirectly } from '../../transport/node/ws-reader.js'
import type { Wire, WsSocket } from '../../transport/node/ws-transport.js'
import type { WebSocketLike } from '../../transport/web-socket.js'
import type { Failure } from './failure.js'
import { httpFailure } from './http-failure.js'
import type {
  AssertSocketSettings,
  OpeningSocket,
  PrepareSocket,
  SocketOptions,
  TlsSettings,
  TransportOf,
} from './socket.js'
import { withoutSecrets } from './url.js'

/** How many characters of a refusing answer are read, and for how long, in ms. */
const MAX_REASON = 300
const REASON_MS = 1_000

/** The headers of the upgrade itself, which `ws` writes. */
const RESERVED = /^(connection|upgrade|sec-websocket-.*|content-length|transfer-encoding)$/i

const TLS_SETTINGS = {
  ca: 'elsewhere',
  cert: 'elsewhere',
  key: 'elsewhere',
  passphrase: 'string',
  servername: 'string',
  rejectUnauthorized: 'boolean',
} as const satisfies OptionKinds<TlsSettings>

export const assertSocketSettings: AssertSocketSettings = ({ headers, proxy, tls, fastPath }) => {
  if (headers !== undefined && typeof headers !== 'function') assertHeaders(headers)
  if (proxy !== undefined && proxy !== false) parseProxy(proxy, 'proxy')
  if (tls !== undefined) assertOptions('tls', tls, TLS_SETTINGS)
  if (fastPath !== undefined && typeof fastPath !== 'boolean') {
    throw new RpcConfigError(`fastPath must be a boolean, not ${kindOf(fastPath)}`)
  }
}

export const transportOf: TransportOf = (socket) => {
  const { wire, fastPath } = wires.get(socket) as OpenWire
  return wsTransport(socket as unknown as WsSocket, wire, false, fastPath)
}

/** What the transport of an open socket needs besides the socket. */
interface OpenWire {
  readonly wire: Wire
  readonly fastPath: boolean
}

const wires = new WeakMap<WebSocketLike, OpenWire>()

/** Node's WebSocket: `ws`, which reports why an upgrade was refused. */
export const prepareSocket: PrepareSocket = async (url, options) => {
  if (options.headers !== undefined) assertHeaders(options.headers)
  const proxy = proxyFor(url, options.proxy)
  if (!proxy) return () => openSocket(url, options, undefined)
  // Most programs never need it, so it is loaded only if a proxy applies.
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  return () => openSocket(url, options, new Tunnel(proxy, HttpsProxyAgent, options.tls))
}

function openSocket(
  url: string,
  { headers, tls, fastPath = true, maxMessage }: SocketOptions,
  tunnel: Tunnel | undefined,
): OpeningSocket {
  let failure: Partial<Failure> = {}
  const socket = new WebSocket(url, {
    ...(tls && tlsOptions(tls)),
    ...(headers && { headers: { ...headers } }),
    ...(tunnel && { agent: tunnel.agent }),
    ...(fastPath && new URL(url).protocol === 'ws:' && { createConnection: connectDirectly }),
    // Compression costs far more than it saves on small messages, and allows decompression bombs.
    perMessageDeflate: false,
    maxPayload: maxMessage,
  })
  socket.on('error', (error) => {
    // After a refusal, the socket is ended, and `ws` reports that as another error.
    const isRefused = failure.message !== undefined
    failure = isRefused
      ? { cause: error, ...failure }
      : { ...failureOf(error), ...tunnel?.failure(error) }
  })
  socket.on('unexpected-response', (request, response) => {
    failure = tunnel?.refusal(url) ?? refusal(response)
    void reasonOf(response).then((reason) => {
      if (reason) failure = { ...failure, message: `${failure.message}: ${reason}` }
      response.destroy()
      request.destroy()
      socket.terminate()
    })
  })
  if (tunnel) socket.on('close', () => tunnel.end())
  const like = socket as unknown as WebSocketLike
  socket.on('upgrade', ({ socket: wire }) => void wires.set(like, { wire, fastPath }))
  // Nothing is read until the transport is started.
  socket.on('open', () => socket.pause())
  return {
    socket: like,
    proxy: tunnel?.proxy,
    failure: () => failure,
  }
}

/** The way through a proxy, for one socket. */
class Tunnel {
  readonly agent: AgentOf<ProxyAgentClass>
  /** The proxy's address, without its credentials. */
  readonly proxy: string
  readonly #hasCredentials: boolean
  readonly #end = new AbortController()
  #answer: { statusCode: number; statusText: string } | undefined

  constructor(proxy: URL, ProxyAgent: ProxyAgentClass, tls: TlsSettings | undefined) {
    this.proxy = `${proxy.protocol}//${proxy.host}`
    this.#hasCredentials = proxy.username !== '' || proxy.password !== ''
    this.agent = new ProxyAgent(proxy, {
      // The agent does not end a socket to a proxy that never answers: this does.
      signal: this.#end.signal,
      ...(tls?.ca !== undefined && tlsOptions({ ca: tls.ca })),
    })
    this.agent.on('proxyConnect', (answer) => {
      this.#answer = answer
    })
  }

  /** @returns the failure that an error means, if it came before the proxy had answered. */
  failure(error: Error): Partial<Failure> | undefined {
    if (this.#answer) return undefined
    const message = `the proxy ${this.proxy} can't be reached: ${errorText(error)}`
    return {
      message,
      createError: this.#errorWith(undefined),
      isAddressed: false,
      remedy: 'Is the proxy running?',
    }
  }

  /** @returns the failure by the proxy's answer, if it was not a tunnel. */
  refusal(url: string): Partial<Failure> | undefined {
    if (!this.#answer || this.#answer.statusCode === 200) return undefined
    const { statusCode, statusText } = this.#answer
    const { hostname, port, protocol } = new URL(url)
    const target = `${hostname}:${port || (protocol === 'wss:' ? 443 : 80)}`
    return {
      message: `the proxy ${this.proxy} answered HTTP ${statusCode} ${plain(statusText)} to CONNECT ${target}`,
      httpStatus: statusCode,
      // This is the answer of the proxy itself: the server was not reached.
      verdict: statusCode === 403 || statusCode === 407 ? 'failed' : 'retry',
      createError: this.#errorWith(statusCode),
      remedy: this.#remedy(statusCode),
    }
  }

  end(): void {
    this.#end.abort()
  }

  #errorWith(httpStatus: number | undefined): Failure['createError'] {
    return (message, cause) => new RpcProxyError(message, this.proxy, { httpStatus, cause })
  }

  #remedy(status: number): string | undefined {
    const around =
      'To go around it, set proxy to false, or name the server in the environment variable NO_PROXY'
    if (status !== 407) return around
    return this.#hasCredentials
      ? "The proxy does not take the user and password it was given: correct them in the client's proxy option, or in HTTP_PROXY or HTTPS_PROXY"
      : "The proxy wants a user and a password: write them into its address, http://user:password@host:port, in the client's proxy option, or in HTTP_PROXY or HTTPS_PROXY"
  }
}

type ProxyAgentClass = typeof import('https-proxy-agent').HttpsProxyAgent
type AgentOf<T extends abstract new (...args: never) => unknown> = InstanceType<T>

/**
 * @returns the proxy to an address: the one that is set, or that of the environment.
 * @throws {RpcConfigError} if it is not the address of an HTTP proxy.
 */
function proxyFor(url: string, proxy: string | URL | false | undefined): URL | undefined {
  if (proxy === false) return undefined
  if (proxy !== undefined) return parseProxy(proxy, 'proxy')
  // The variables are named after the protocol in which a WebSocket begins: ws: is HTTP, wss: is HTTPS.
  const found = getProxyForUrl(url.replace(/^ws/i, 'http'))
  if (!found) return undefined
  // A proxy without a scheme, such as "proxy:3128", gets the scheme of the url. But a proxy speaks HTTP, as for curl.
  const asWritten = Object.values(process.env).some((value) => value === found)
  return parseProxy(
    asWritten ? found : found.replace(/^https:/i, 'http:'),
    'The proxy of the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY)',
  )
}

function parseProxy(proxy: string | URL, name: string): URL {
  const remedy = 'Write an address such as "http://user:password@proxy.example.com:3128"'
  let parsed: URL
  try {
    parsed = new URL(proxy)
  } catch {
    // The value is not shown, because it may hold a password.
    throw new RpcConfigError(`${name} is not a valid address. ${remedy}, or set proxy to false`)
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new RpcConfigError(
      `${name} must begin with http: or https:, not ${parsed.protocol} ("${withoutSecrets(parsed)}"). ${remedy}, or set proxy to false`,
    )
  }
  return parsed
}

function assertHeaders(headers: unknown): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new RpcConfigError('headers must be an object of texts, or a function that returns one')
  }
  for (const [name, value] of Object.entries(headers)) {
    if (RESERVED.test(name)) {
      throw new RpcConfigError(
        `headers can't have "${name}": it belongs to the upgrade. Leave it out`,
      )
    }
    if (typeof value !== 'string') {
      throw new RpcConfigError(`headers["${name}"] must be a string, not ${kindOf(value)}`)
    }
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch (cause) {
      throw new RpcConfigError(`headers can't be sent: ${describeThrown(cause)}`, { cause })
    }
  }
}

/** @returns the settings for `node:tls`: read-only lists are copied, and bytes become Buffers. */
function tlsOptions(tls: TlsSettings) {
  const bytes = (value: string | Uint8Array) =>
    typeof value === 'string' ? value : Buffer.from(value)
  const { ca, cert, key, ...rest } = tls
  return {
    ...rest,
    ...(ca !== undefined && {
      ca: typeof ca === 'string' || ca instanceof Uint8Array ? bytes(ca) : ca.map(bytes),
    }),
    ...(cert !== undefined && { cert: bytes(cert) }),
    ...(key !== undefined && { key: bytes(key) }),
  }
}

function refusal({ statusCode, statusMessage, headers }: IncomingMessage): Partial<Failure> {
  return {
    message: `the server answered HTTP ${statusCode} ${plain(statusMessage ?? '')}`.trim(),
    ...httpFailure(statusCode),
    retryAfterMs: retryAfterMs(headers['retry-after'], headers.date),
  }
}

/** @returns the beginning of an answer's text, in one line; empty if it is not text. Never rejects. */
async function reasonOf(response: IncomingMessage): Promise<string> {
  if (!response.headers['content-type']?.startsWith('text/plain')) return ''
  let text = ''
  const timer = setTimeout(() => response.destroy(), REASON_MS)
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk
      if (text.length > MAX_REASON) break
    }
  } catch {
    // The part that has come is better than nothing.
  } finally {
    clearTimeout(timer)
  }
  // The text comes from another party, so it must not control a terminal, or write lines of a log.
  return text
    .slice(0, MAX_REASON)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
}

/** @returns the facts about an attempt that was ended by an error of the system. */
function failureOf(error: Error): Partial<Failure> {
  const { code } = ownOrFirst(error) as NodeJS.ErrnoException
  const [remedy = 'Is the server running?'] = REMEDIES.flatMap(([codes, text]) =>
    codes.test(code ?? '') ? [text] : [],
  )
  // As Node words it: "connect ECONNREFUSED 127.0.0.1:8000", "getaddrinfo ENOTFOUND example.com".
  const isAddressed = /^(connect|getaddrinfo) E/.test(ownOrFirst(error).message)
  return { message: errorText(error), isAddressed, remedy, cause: error }
}

/** What to do about errors of the system, if their cause is not a server that is not running. */
const REMEDIES: readonly [codes: RegExp, remedy: string][] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'Check the host of the url: its name has no address'],
  [/^(EPROTO|ERR_SSL_)/, 'Does the server speak TLS? If not, begin the url with ws:'],
  [/CERT|SIGNATURE/, 'If the certificate is to be trusted, give its authority in tls: { ca }'],
  [/^(ECONNRESET|HPE_)/, 'Is it a WebSocket server? If it speaks TLS, begin the url with wss:'],
]

/** An error over several addresses (`localhost`) has no message of its own. */
function ownOrFirst(error: Error): Error {
  return error instanceof AggregateError && !error.message ? (error.errors[0] ?? error) : error
}

function errorText(error: Error): string {
  if (error instanceof AggregateError && !error.message) {
    return error.errors.map(errorText).join(', ')
  }
  return plain(error.message.replace(/^connect (?=E[A-Z]+ )/, '') || error.name, 1_000)
}

/**
 * RFC 9110, section 10.2.3: seconds, or a date. The time until a date is measured from the `Date` header of the same
 * answer (section 6.6.1), which comes from the same clock; if it is missing, from this machine's clock.
 */
function retryAfterMs(header: string | undefined, date = ''): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  const madeAt = Date.parse(date)
  const now = Number.isNaN(madeAt) ? Date.now() : madeAt
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now
  return ms > 0 ? ms : undefined
}
