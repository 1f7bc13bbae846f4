import type { IncomingMessage } from 'node:http'
import { valuesOf, withoutHeader } from './raw-headers.js'
import type { Token } from './token.js'

/** The credentials of a request. */
export interface Credentials {
  /** Every `token` of the query, as it was written: percent-encoding is not undone. */
  readonly query: readonly string[]
  /** Every `Authorization` header. */
  readonly authorization: readonly string[]
}

const NAME = 'token='
/** The text that replaces a token that was in a wrong place. */
const REDACTED = '[token]'

/**
 * Takes the credentials out of a request, right ones and wrong ones, so that all of the request can be logged after
 * that. The url loses its `token`, the headers lose `Authorization`, and a token that was sent anywhere else is
 * overwritten. The rest of the query stays.
 *
 * It must run before anything reads `request.headers`: Node makes them of `rawHeaders` only then.
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
