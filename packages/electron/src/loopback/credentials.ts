import type { IncomingMessage } from 'node:http'
import { valuesOf, withoutHeader } from './raw-headers.js'
import type { Token } from './token.js'

/** What a request says to prove that it is this app's. */
export interface Credentials {
  /** Every `token` of the query, as it was written: percent-encoding is not undone. */
  readonly query: readonly string[]
  /** Every `Authorization` header. */
  readonly authorization: readonly string[]
}

const NAME = 'token='
/** What stands where the token was found out of its place. */
const REDACTED = '[token]'

/**
 * Takes the credentials out of a request, right ones and wrong ones: whoever sees it after that can
 * log all of it. The url loses its `token`, the headers lose `Authorization`, and a token that was
 * sent anywhere else is overwritten. The rest of the query stays.
 *
 * Has to run before anybody reads `request.headers`, which Node makes of `rawHeaders` only then.
 */
export function takeCredentials(request: IncomingMessage, token: Token): Credentials {
  const redact = (text: string) => text.replaceAll(token.text, REDACTED)
  const { url = '', rawHeaders } = request
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  const params = end === -1 ? [] : url.slice(end + 1).split('&')
  const others = params.filter((param) => param !== '' && !param.startsWith(NAME))
  request.url = redact([path, ...(others.length > 0 ? [others.join('&')] : [])].join('?'))
  const credentials = {
    query: params
      .filter((param) => param.startsWith(NAME))
      .map((param) => param.slice(NAME.length)),
    authorization: valuesOf(rawHeaders, 'authorization'),
  }
  for (const [at, text] of rawHeaders.entries()) rawHeaders[at] = redact(text)
  // Reading them makes them, of as many raw headers as were received.
  const { headers, headersDistinct } = request
  delete headers.authorization
  delete headersDistinct.authorization
  request.rawHeaders = withoutHeader(rawHeaders, 'authorization')
  return credentials
}
