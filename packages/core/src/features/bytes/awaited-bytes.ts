const NONE: readonly never[] = []

/** A message whose bytes are still on their way. */
export class AwaitedBytes {
  /** The sum of the sizes of all awaited bytes. */
  readonly size: number
  readonly #slots: readonly Slot[]
  #arrived = 0

  /** @throws {TypeError} saying what is wrong with an announcement. */
  constructor(slots: readonly Slot[]) {
    this.#slots = slots
    this.size = slots.reduce((sum, slot) => sum + slot.size, 0)
    if (!Number.isSafeInteger(this.size)) throw new TypeError('its bytes are too many')
  }

  /**
   * Puts the next bytes in their place.
   *
   * @returns whether these were the last bytes.
   * @throws {TypeError} if there are not as many as were announced.
   */
  take(bytes: Uint8Array): boolean {
    const slot = this.#slots[this.#arrived++]
    if (slot?.size !== bytes.byteLength) {
      throw new TypeError(`${bytes.byteLength} bytes came where ${slot?.size} were announced`)
    }
    // A Buffer is a Uint8Array that behaves differently: its `slice` shares memory.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    slot.holder[slot.key] = plain
    return this.#arrived === this.#slots.length
  }
}

/** A null that bytes will replace. */
interface Slot {
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly size: number
}

/**
 * @param refused messages of the frame that are refused: their bytes are awaited too, and dropped.
 * @returns the bytes that a decoded frame (a message, or an array of some) waits for; `undefined` if none.
 * @throws {TypeError} saying what is wrong with an announcement.
 */
export function awaitedBytes(
  decoded: unknown,
  refused?: ReadonlySet<unknown>,
): AwaitedBytes | undefined {
  const slotsOf = (message: unknown) => slotsIn(message, refused?.has(message) ? dropped : findSlot)
  const slots = Array.isArray(decoded) ? decoded.flatMap(slotsOf) : slotsOf(decoded)
  return slots.length > 0 ? new AwaitedBytes(slots) : undefined
}

type FindSlot = (message: unknown, at: unknown[], size: number) => Slot | undefined

function slotsIn(message: unknown, find: FindSlot): readonly Slot[] {
  const announced = own(own(message, 'rpc'), 'bytes')
  if (announced === undefined) return NONE
  const malformed = () => new TypeError('its rpc.bytes names no places and sizes')
  if (!Array.isArray(announced)) throw malformed()
  return announced.map((entry) => {
    const at = own(entry, 'at')
    const size = own(entry, 'size')
    const slot = Array.isArray(at) && isSize(size) && find(message, at, size)
    if (!slot) throw malformed()
    return slot
  })
}

/** The place for bytes that are dropped. */
const dropped: FindSlot = (_message, _at, size) => ({ holder: {}, key: '', size })

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Follows own members only, to a null in a user's value. */
function findSlot(message: unknown, at: unknown[], size: number): Slot | undefined {
  const key = at.at(-1)
  if (typeof key !== 'string' || !USERS.has(at[0])) return undefined
  let holder = message
  for (const step of at.slice(0, -1)) holder = own(holder, step)
  if (own(holder, key) !== null) return undefined
  // Written out, because a spread with one more member makes a new hidden class each time, which V8 keeps in its old
  // space.
  const slot: Slot = { holder: holder as Record<string, unknown>, key, size }
  // So that the same place is not announced twice.
  slot.holder[key] = undefined
  return slot
}

/** The members of a message that hold users' values. */
const USERS: ReadonlySet<unknown> = new Set(['params', 'result', 'error'])

function own(value: unknown, key: unknown): unknown {
  if (typeof value !== 'object' || value === null || typeof key !== 'string') return undefined
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}
