/** Whether a value is raw memory of any kind, also that of another window or frame. */
export function isBinary(value: object): boolean {
  return ArrayBuffer.isView(value) || (isEmpty(value) && MEMORY.has(kindOf(value)))
}

/** Raw memory (`ArrayBuffer`, `SharedArrayBuffer`), which JSON and MessagePack would turn into an empty object. */
const MEMORY: ReadonlySet<string> = new Set(['ArrayBuffer', 'SharedArrayBuffer'])

function isEmpty(value: object): boolean {
  for (const _ in value) return false
  return true
}

/** Whether a value is a `Uint8Array`, the one kind of raw memory that is carried. Node's Buffer is one. */
export function isUint8Array(value: object): value is Uint8Array {
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Uint8Array'
}

/** @returns why another kind is not carried: it would arrive as a different kind, with a different length. */
export function notCarried(value: object, at: readonly string[]): string {
  return `${described(value, at)}; only a Uint8Array is carried, so wrap it in one`
}

/** @returns a sentence that says of which kind raw memory is, and where it is. */
export function described(value: object, at: readonly string[]): string {
  const kind = kindOf(value)
  const where = at.length > 0 ? at.join('.') : 'a value'
  return `${where} is ${/^[AI]/.test(kind) ? 'an' : 'a'} ${kind}`
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}
