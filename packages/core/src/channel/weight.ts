import type { Frame } from '../wire/codec.js'

/** A call that came in, and what it takes in memory, in bytes. */
export interface Weighed {
  readonly weight: number
}

/** What a call takes besides its message: a context, a promise or two. */
export const WEIGHT_OF_CALL = 1_024

// What V8 makes of JSON, on 64-bit machines: an array or an object with its place in the one around it, a member of either
// besides, a string's header.
const ARRAY = 40
const OBJECT = 56
const MEMBER = 8
const HALF_A_STRING = 12

/** In so many places a text is looked at. */
const SAMPLES = 128
/** Of a message of so many bytes, the length says enough: at the most, so many bytes are made of each. */
const LITTLE = 1_024
const MOST_MADE = 9

/** @returns what a call takes whose message is little; 0 where it is not, and what came of it has to be looked at. */
export function weightOfLittle(bytes: number): number {
  return bytes <= LITTLE ? WEIGHT_OF_CALL + MOST_MADE * Math.ceil(bytes) : 0
}

/**
 * What is made of JSON takes so much memory, in bytes, besides its length: of `[[],[],…]`, 12 times as much. Long text is
 * looked at in places that nobody can foresee, and not as a whole: that would take as long as parsing it.
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

/** The same of a value that another codec has made. */
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
