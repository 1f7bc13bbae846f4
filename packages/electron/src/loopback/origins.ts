import { RpcConfigError } from '@flashrpc/core'

const EXAMPLE = '["app://demo"]'

/**
 * Checks the origins that a loopback is given. No `new URL` here either: what it completes and
 * corrects, a comparison letter by letter does not.
 *
 * @throws {RpcConfigError} where one could never match, or would match pages of others.
 */
export function assertOrigins(origins: unknown): void {
  if (origins === undefined) {
    throw new RpcConfigError(
      `origins is missing: name the origins of this app's pages, such as ${EXAMPLE}, or [] for programs only`,
    )
  }
  if (!Array.isArray(origins)) {
    throw new RpcConfigError(
      `origins must be a list such as ${EXAMPLE}, or [] for programs only; it is ${JSON.stringify(origins)}`,
    )
  }
  for (const origin of origins) {
    const why = complaintOf(origin)
    if (why === undefined) continue
    throw new RpcConfigError(`origins has ${JSON.stringify(origin) ?? String(origin)}: ${why}`)
  }
}

function complaintOf(origin: unknown): string | undefined {
  if (typeof origin !== 'string') return `an origin is a text, as in ${EXAMPLE}`
  if (origin.includes('*')) {
    return 'any page of the web could connect. Name each origin of this app in full'
  }
  if (origin === 'null') {
    return 'every sandboxed iframe, of any site, has the origin null. Serve the page from a scheme of the app, such as app://, and name that'
  }
  if (/^file:/i.test(origin)) {
    return 'pages of file: send the origin null, as every sandboxed iframe does. Serve them from a scheme of the app, such as app://, and name that'
  }
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]+[/?#]/i.test(origin)) {
    return 'an origin ends with its host and port. Leave out what comes after, the slash too'
  }
  if (/^(http:.*:80|https:.*:443)$/i.test(origin)) {
    return "a browser leaves out its scheme's own port, so no page can match. Leave it out too"
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?$/.test(origin)) {
    return `no page can match. Write scheme, host and port as a browser does, in lower case, as in ${EXAMPLE} or ["http://localhost:5173"]`
  }
  return undefined
}
