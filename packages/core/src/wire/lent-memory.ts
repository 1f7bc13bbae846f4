/** Fewer bytes than this are copied to memory of their own, which costs very little. */
export const LEAST_LENT = 64 * 1024
/** The most bytes that are held while they are not in use. */
const MOST_FREE = 8 * 1024 * 1024

let free: Uint8Array[] = []
let freeBytes = 0

/** Bytes that no other code can change. */
export interface Lent {
  readonly bytes: Uint8Array
  /** Call it when the bytes are not used any more: their memory is used again. Call it once, or never. */
  readonly giveBack?: (() => void) | undefined
}

/**
 * Copies bytes that are needed only for a while. Large ones are copied to memory that is used again and again: if each
 * message allocated a MiB, V8 would collect garbage after every dozen of them.
 */
export function lentCopy(bytes: Uint8Array): Lent {
  const lent = lentMemory(bytes.byteLength)
  if (!lent) return { bytes: new Uint8Array(bytes) }
  lent.bytes.set(bytes)
  return lent
}

/** @returns memory of this size, with any content; undefined for a small size, which costs very little to allocate. */
export function lentMemory(size: number): Lent | undefined {
  if (size < LEAST_LENT) return undefined
  const memory = take(size)
  return { bytes: memory.subarray(0, size), giveBack: () => giveBack(memory) }
}

/** @returns held memory that is large enough and not much too large, or new memory. */
function take(size: number): Uint8Array {
  const fitting = free.findIndex(({ byteLength }) => byteLength >= size && byteLength <= 2 * size)
  const [found] = fitting < 0 ? [] : free.splice(fitting, 1)
  if (!found) return new Uint8Array(roundedUp(size))
  freeBytes -= found.byteLength
  return found
}

/**
 * Rounds up to a power of two, or to halfway between two, so that sizes that differ a little can use the same memory.
 */
function roundedUp(size: number): number {
  const power = 2 ** Math.ceil(Math.log2(size))
  return size <= 0.75 * power ? 0.75 * power : power
}

function giveBack(memory: Uint8Array): void {
  free.push(memory)
  freeBytes += memory.byteLength
  if (freeBytes <= MOST_FREE) return
  // All are dropped, whatever their sizes. Those that are needed are made again.
  free = []
  freeBytes = 0
}
