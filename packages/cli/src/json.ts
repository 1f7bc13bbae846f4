/**
 * Values as JSON text, on the command line and on the outputs. Values that JSON can't express have these forms: bytes
 * are `{"$bytes":"<base64>"}`, in both directions; dates are ISO 8601; a `bigint` is its digits; a `Map` is an
 * object, or a list of pairs if its keys are not text; a `Set` is a list.
 */

/** @param indent spaces a level; 0 for one line. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value === undefined ? null : value, replace, indent)
}

function replace(this: unknown, key: string, said: unknown): unknown {
  // Before `toJSON`, which a Buffer has.
  const value = (this as Record<string, unknown>)[key]
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Map) {
    const isNamed = [...value.keys()].every((name) => typeof name === 'string')
    return isNamed ? Object.fromEntries(value) : [...value]
  }
  return said
}

/** @throws {SyntaxError} if the text is not JSON, or bytes in it are not base64. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => bytesOf(value) ?? value)
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { $bytes, ...others } = value as { $bytes?: unknown }
  if (typeof $bytes !== 'string' || Object.keys(others).length > 0) return undefined
  return bytesOfBase64($bytes)
}

/**
 * Decodes base64, in either alphabet, with its padding or without. Source: RFC 4648, sections 4 and 5.
 *
 * @throws {SyntaxError} if the text is not base64. (Node decodes what it can and ignores the rest.)
 */
function bytesOfBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  const digits = text.replaceAll('-', '+').replaceAll('_', '/')
  const padded = bytes.toString('base64')
  if (digits !== padded && digits !== padded.replace(/=+$/, '')) {
    throw new SyntaxError(`"$bytes" must be base64. It is ${JSON.stringify(text)}`)
  }
  return new Uint8Array(bytes)
}
