import type { IncomingMessage } from 'node:http'
import { quoted } from '@flashrpc/core/internal'
import { RejectUpgrade } from '@flashrpc/core/server'
import { remedyFor } from '../origins.js'
import type { Credentials } from './credentials.js'
import { type RawHeaders, valuesOf } from './raw-headers.js'
import type { Token } from './token.js'

/** Whom a loopback lets in. */
export interface GateRules {
  /** The one `Host` it goes by: `127.0.0.1:PORT`. */
  readonly host: string
  /** The origins of the app's pages. */
  readonly origins: readonly string[]
  readonly token: Token
}

/**
 * @returns why a request is refused; undefined if it may have a WebSocket. All texts are compared letter by letter,
 *   as they were received: an attacker could exploit a parser that lower-cases, decodes or completes. The reasons
 *   contain no secret.
 *
 * - `Host` must be the bound address. A page whose name was rebound to 127.0.0.1 sends its own name there, and can't
 *   change that.
 * - `Origin`, if there is one, must be that of a page of this app: browsers send it with every WebSocket, and let any
 *   page open one (RFC 6455, section 10.2). `null` is not accepted: every sandboxed iframe sends it.
 * - The token is required always. Programs can write any `Host` and leave `Origin` out, so that the token is the only
 *   protection against them.
 */
export function refusalOf(
  request: IncomingMessage,
  credentials: Credentials,
  { host, origins, token }: GateRules,
): RejectUpgrade | undefined {
  return (
    refusalOfHost(request.rawHeaders, host) ??
    refusalOfOrigin(request.rawHeaders, origins) ??
    refusalOfTarget(request) ??
    refusalOfCredentials(credentials, token)
  )
}

/** Exactly one `Host`, as RFC 9112, section 3.2 demands, and the right one. */
export function refusalOfHost(headers: RawHeaders, host: string): RejectUpgrade | undefined {
  const [value, ...more] = valuesOf(headers, 'host')
  if (value === undefined || more.length > 0) {
    return new RejectUpgrade(400, 'The request must have one Host header, and one only')
  }
  if (value === host) return undefined
  return new RejectUpgrade(
    403,
    `The Host ${quoted(value)} is not "${host}". Connect to the loopback's url as it is`,
  )
}

function refusalOfOrigin(
  headers: RawHeaders,
  origins: readonly string[],
): RejectUpgrade | undefined {
  const [value, ...more] = valuesOf(headers, 'origin')
  if (more.length > 0) {
    return new RejectUpgrade(400, 'The request must have one Origin header at most')
  }
  if (value === undefined || origins.includes(value)) return undefined
  return new RejectUpgrade(
    403,
    value === 'null'
      ? 'The Origin is "null", that of sandboxed iframes and file: pages. Serve the page from a scheme of the app, such as app://'
      : `The Origin ${quoted(value)} is none of this app's${remedyFor('origins', value)}`,
  )
}

function refusalOfTarget({ method, url = '' }: IncomingMessage): RejectUpgrade | undefined {
  if (method !== 'GET') {
    return new RejectUpgrade(405, 'A WebSocket begins with GET')
  }
  if (url === '/' || url.startsWith('/?')) return undefined
  return new RejectUpgrade(404, 'There is no WebSocket here. Connect to the path "/"')
}

function refusalOfCredentials(
  { query, authorization }: Credentials,
  token: Token,
): RejectUpgrade | undefined {
  if (query.length > 1 || authorization.length > 1) {
    return new RejectUpgrade(400, 'The request must have one token, and one only')
  }
  const presented = [...query, ...authorization.map(bearerOf)]
  if (presented.length === 0) {
    return new RejectUpgrade(
      401,
      "There is no token. Connect to the loopback's url, or send Authorization: Bearer with its token",
    )
  }
  // If a request has both, both must be right: two that contradict each other are refused.
  if (presented.every((text) => token.is(text))) return undefined
  return new RejectUpgrade(401, "The token is not this loopback's. Take it, and its url, anew")
}

/** @returns the token of `Authorization: Bearer TOKEN` (RFC 6750, section 2.1); empty if there is none. */
function bearerOf(header: string): string {
  return /^bearer +([^ ]+)$/i.exec(header)?.[1] ?? ''
}
