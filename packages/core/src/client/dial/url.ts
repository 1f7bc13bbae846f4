import { RpcConfigError } from '../../errors/errors.js'
import { missingGlobal } from '../../wire/missing-global.js'

/** The address to connect to, or a function that returns it, which is called before each attempt. */
export type UrlSource = string | (() => string | Promise<string>)

/**
 * @returns the address as it is.
 * @throws {RpcConfigError} if it is not the address of a WebSocket.
 */
export function assertWebSocketUrl(url: unknown): string {
  const remedy = 'Write an absolute address such as "ws://localhost:8000/ws"'
  if (typeof URL === 'undefined') throw missingGlobal('URL')
  let parsed: URL
  try {
    parsed = new URL(url as string)
  } catch (cause) {
    throw new RpcConfigError(`url is not valid: ${JSON.stringify(url)}. ${remedy}`, { cause })
  }
  assertWhole(parsed)
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') {
    const name = withoutSecrets(parsed)
    throw new RpcConfigError(
      `url must begin with ws: or wss:, not ${parsed.protocol} ("${name}"). ${remedy}`,
    )
  }
  if (parsed.hash) {
    throw new RpcConfigError(
      `url has a fragment (${parsed.hash}), which a WebSocket can't have (RFC 6455, section 3). ${remedy}`,
    )
  }
  return url as string
}

/** In older versions of React Native, some members of `URL` throw. */
function assertWhole(url: URL): void {
  try {
    withoutSecrets(url)
  } catch (cause) {
    throw missingGlobal('URL', cause)
  }
}

/** @returns an address for messages: without user, password and query, which may be secret. */
export function withoutSecrets(url: string | URL): string {
  const { protocol, host, pathname, search } = new URL(url)
  return `${protocol}//${host}${pathname}${search && '?…'}`
}
