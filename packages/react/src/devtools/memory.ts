// How many bytes V8 needs for values, on 64-bit machines.
const ARRAY = 40
const OBJECT = 56
const MEMBER = 8
const TEXT = 24

/**
 * Estimates how much memory a value takes, in bytes, with everything in it. Text counts 2 bytes for each character.
 *
 * @param limit the estimate stops when it is above this.
 */
export function memoryOf(value: unknown, limit = Number.POSITIVE_INFINITY): number {
  let memory = 0
  const open: unknown[] = [value]
  while (open.length > 0 && memory <= limit) {
    const next = open.pop()
    if (typeof next === 'string') memory += TEXT + 2 * next.length
    else if (typeof next !== 'object' || next === null) memory += MEMBER
    else if (ArrayBuffer.isView(next)) memory += OBJECT + next.byteLength
    else if (Array.isArray(next) || next instanceof Set || next instanceof Map) {
      const items: Iterable<unknown> = next instanceof Map ? [...next].flat() : next
      memory += ARRAY
      for (const item of items) {
        memory += MEMBER
        if (memory > limit) break
        open.push(item)
      }
    } else {
      memory += OBJECT
      for (const key of Object.keys(next)) {
        memory += MEMBER
        if (memory > limit) break
        open.push((next as Record<string, unknown>)[key])
      }
    }
  }
  return memory
}
