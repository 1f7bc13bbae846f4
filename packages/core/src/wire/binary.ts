/** Raw memory of any kind; that of another window or frame too. */
export function isBinary(value: object): boolean {
  return ArrayBuffer.isView(value) || (isEmpty(value) && MEMORY.has(kindOf(value)))
}

/** Raw memory (`ArrayBuffer`, `SharedArrayBuffer`), which JSON and MessagePack would turn into an empty object. */
const MEMORY: ReadonlySet<string> = new Set(['ArrayBuffer', 'SharedArrayBuffer'])

function isEmpty(value: object): boolean {
  for (const _ in value) return false
  return true
}

/** Of what is raw memory, the one kind that is carried. Node's Buffer is one. */
export function isUint8Array(value: object): value is Uint8Array {
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Uint8Array'
}

/** Why the other kinds are not: they would arrive as another kind, of another length. */
export function notCarried(value: object, at: readonly string[]): string {
  const kind = kindOf(value)
  const where = at.length > 0 ? at.join('.') : 'a value'
  return `${where} is ${/^[AI]/.test(kind) ? 'an' : 'a'} ${kind}; only a Uint8Array is carried, so wrap it in one`
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}
