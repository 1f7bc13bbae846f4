import { RpcConfigError } from '@flashrpc/core'

const EXAMPLE = '["app://demo"]'

/** A list of the origins of an app's pages, and what it is for. */
export interface OriginRule {
  /** The name of the option, for messages. */
  readonly option: 'allow' | 'origins'
  /** What may be given instead of a list, for messages. */
  readonly otherwise: string
  /** Why an origin of files can't be listed; undefined if it can. */
  readonly noFiles?: string
}

/**
 * Checks the origins that an app names. No `new URL` here: what it completes and corrects would not be
 * what is compared later.
 *
 * @throws {RpcConfigError} naming the option, the origin and the remedy.
 */
export function assertOrigins(origins: unknown, rule: OriginRule): void {
  const { option, otherwise } = rule
  if (origins === undefined) {
    throw new RpcConfigError(
      `${option} is missing: name the origins of this app's pages, such as ${EXAMPLE}, or ${otherwise}`,
    )
  }
  if (!Array.isArray(origins)) {
    throw new RpcConfigError(
      `${option} must be an array such as ${EXAMPLE}, or ${otherwise}. It is ${JSON.stringify(origins)}`,
    )
  }
  for (const origin of origins) {
    const why = complaintOf(origin, rule)
    if (why === undefined) continue
    throw new RpcConfigError(`${option} has ${JSON.stringify(origin) ?? String(origin)}: ${why}`)
  }
}

/** The end of a refusal: the line that lets a page in, unless no page of the app can have its origin. */
export function remedyFor(option: OriginRule['option'], origin: string): string {
  return origin.length > 200 || complaintOf(origin, { option, otherwise: '' }) !== undefined
    ? ''
    : `. To let it in, add this line to the options: ${option}: ['${origin}']`
}

function complaintOf(origin: unknown, { noFiles }: OriginRule): string | undefined {
  if (typeof origin !== 'string') return `an origin is a text, as in ${EXAMPLE}`
  if (origin.includes('*')) {
    return 'any page of the web could connect. Name each origin of this app in full'
  }
  if (origin === 'null') {
    return 'every sandboxed iframe, of any site, has the origin null. Serve the page from a scheme of the app, such as app://, and name that'
  }
  if (origin === 'file://' && noFiles === undefined) return undefined
  if (/^file:/i.test(origin)) return noFiles ?? 'the origin of files is written "file://"'
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
