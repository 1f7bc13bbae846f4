/**
 * The headers of a request as they were received: name, value, name, value …, from `rawHeaders`. Node's `headers`
 * keep the first of several `Host` or `Authorization` and drop the others, but a decision about the request must see
 * all of them.
 */
export type RawHeaders = readonly string[]

/** All values of a header, in their order. Names are compared without case (RFC 9110, section 5.1). */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)
}

/** The headers without one of them. */
export function withoutHeader(headers: RawHeaders, name: string): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== name)
}
