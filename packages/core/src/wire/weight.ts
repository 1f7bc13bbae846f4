import type { Frame } from './codec.js'

/** Knows the memory that an incoming call takes, in bytes. It may be measured only when it is read. */
export interface WeightSource {
  readonly weight: number
}

/** The memory that a call takes besides its message, in bytes: a context, a promise or two. */
export const WEIGHT_OF_CALL = 1_024

// How many bytes V8 needs on 64-bit machines: for an array, or an object, with its place in the value around it; for
// each further member; for half of a string's header.
const ARRAY = 40
const OBJECT = 56
const MEMBER = 8
const HALF_A_STRING = 12

/** The number of places of a long text that are examined. */
const SAMPLES = 128
/**
 * Messages up to this size, in bytes, are not examined: each byte counts as the most memory that it can take, in bytes.
 */
const SMALL = 1_024
const MOST_PER_BYTE = 9

/**
 * @returns the memory that a call with a small message takes; 0 if the message is larger, so that its content must be
 *   examined.
 */
export function weightOfSmall(bytes: number): number {
  return bytes <= SMALL ? WEIGHT_OF_CALL + MOST_PER_BYTE * Math.ceil(bytes) : 0
}

/**
 * @returns the memory that the value of a JSON text takes, in bytes, besides the text itself: for `[[],[],…]`, 12 times
 *   as much. A long text is examined in random places, which no sender can foresee. To examine all of it would take as
 *   long as parsing it.
 */
export function weightOfJson(json: Frame): number {
  const { length } = json
  const isText = typeof json === 'string'
  const step = length / SAMPLES
  let made = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    const at = Math.floor((sample + Math.random()) * step)
    made += weightOf(isText ? json.charCodeAt(at) : (json[at] as number))
  }
  return Math.round(made * step)
}

function weightOf(character: number): number {
  switch (character) {
    case 0x5b: // [
      return ARRAY
    case 0x7b: // {
      return OBJECT
    case 0x2c: // ,
      return MEMBER
    case 0x22: // "
      return HALF_A_STRING
    default:
      return 0
  }
}

/** As {@link weightOfJson}, for a value that another codec has made. */
export function weightOfValue(value: unknown): number {
  if (typeof value === 'string') return 2 * HALF_A_STRING
  if (typeof value !== 'object' || value === null) return 0
  if (ArrayBuffer.isView(value)) return OBJECT
  let weight = ARRAY
  if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) weight += MEMBER + weightOfValue(item)
    return weight
  }
  if (value instanceof Map) {
    for (const [key, item] of value) {
      weight += 3 * MEMBER + weightOfValue(key) + weightOfValue(item)
    }
    return weight
  }
  weight = OBJECT
  for (const key in value) {
    weight += MEMBER + weightOfValue((value as Record<string, unknown>)[key])
  }
  return weight
}
