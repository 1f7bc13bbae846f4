import { RpcConfigError } from '../errors.js'

/** Where to connect to: an address, or what says it before each attempt. */
export type UrlSource = string | (() => string | Promise<string>)

/**
 * @returns the address as it is.
 * @throws {RpcConfigError} where it is no address of a WebSocket.
 */
export function assertWebSocketUrl(url: unknown): string {
  const remedy = 'write an absolute address such as "ws://localhost:8000/ws"'
  let parsed: URL
  try {
    parsed = new URL(url as string)
  } catch (cause) {
    throw new RpcConfigError(`url is no address: ${JSON.stringify(url)}; ${remedy}`, { cause })
  }
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') {
    const name = withoutSecrets(parsed)
    throw new RpcConfigError(
      `url must begin with ws: or wss:, not ${parsed.protocol} ("${name}"); ${remedy}`,
    )
  }
  if (parsed.hash) {
    throw new RpcConfigError(
      `url has a fragment (${parsed.hash}), which a WebSocket can't have (RFC 6455, section 3); ${remedy}`,
    )
  }
  return url as string
}

/** An address for messages: without user, password and query, which may be secret. */
export function withoutSecrets(url: string | URL): string {
  const { protocol, host, pathname, search } = new URL(url)
  return `${protocol}//${host}${pathname}${search && '?…'}`
}
