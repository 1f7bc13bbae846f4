/** Raw memory of any kind; that of another window or frame too. */
export function isBinary(value: unknown): value is ArrayBufferView | ArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer
}

/** Of what is raw memory, the one kind that is carried. Node's Buffer is one. */
export function isUint8Array(value: ArrayBufferView | ArrayBuffer): value is Uint8Array {
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Uint8Array'
}

/** Why the other kinds are not: they would arrive as another kind, of another length. */
export function notCarried(value: object, at: readonly string[]): string {
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  const where = at.length > 0 ? at.join('.') : 'a value'
  return `${where} is ${/^[AI]/.test(kind) ? 'an' : 'a'} ${kind}; only a Uint8Array is carried, so wrap it in one`
}
