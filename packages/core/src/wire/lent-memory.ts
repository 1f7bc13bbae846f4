/** Fewer bytes than these are copied to memory of their own: that costs nothing worth mentioning. */
const LEAST = 64 * 1024
/** So many bytes are held while nobody needs them. */
const MOST_FREE = 8 * 1024 * 1024

let free: Uint8Array[] = []
let freeBytes = 0

/** Bytes that nobody else can change. */
export interface Lent {
  readonly bytes: Uint8Array
  /** Nobody looks at them any more: their memory serves others from now on. To be said once, or never. */
  readonly giveBack?: (() => void) | undefined
}

/**
 * Copies bytes for whoever needs them only for a while. Large ones go to memory that is used again and again: in V8,
 * who allocates a MiB for each message pays for a collection with every dozen of them.
 */
export function lentCopy(bytes: Uint8Array): Lent {
  const lent = lentMemory(bytes.byteLength)
  if (!lent) return { bytes: new Uint8Array(bytes) }
  lent.bytes.set(bytes)
  return lent
}

/** @returns memory of such a size, with whatever is in it; undefined for little, which costs nothing to allocate. */
export function lentMemory(size: number): Lent | undefined {
  if (size < LEAST) return undefined
  const memory = take(size)
  return { bytes: memory.subarray(0, size), giveBack: () => giveBack(memory) }
}

/** @returns one that is large enough and not much too large, or a new one. */
function take(size: number): Uint8Array {
  const fitting = free.findIndex(({ byteLength }) => byteLength >= size && byteLength <= 2 * size)
  const [found] = fitting < 0 ? [] : free.splice(fitting, 1)
  if (!found) return new Uint8Array(roundedUp(size))
  freeBytes -= found.byteLength
  return found
}

/** To a power of two, or to halfway between two: sizes that differ a little share memory. */
function roundedUp(size: number): number {
  const power = 2 ** Math.ceil(Math.log2(size))
  return size <= 0.75 * power ? 0.75 * power : power
}

function giveBack(memory: Uint8Array): void {
  free.push(memory)
  freeBytes += memory.byteLength
  if (freeBytes <= MOST_FREE) return
  // Whatever their sizes: those that are needed come back.
  free = []
  freeBytes = 0
}
