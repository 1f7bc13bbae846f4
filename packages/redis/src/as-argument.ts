/** @returns a value as both client libraries take it: bytes as a Buffer over the same memory. */
export function asArgument(value: string | Uint8Array): string | Buffer {
  if (typeof value === 'string') return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
