/**
 * Whether two values are equal as params. Plain objects (in any order of their keys), arrays, bytes, `Date`, `Map` and
 * `Set` are compared by their content; `NaN` equals `NaN`. Any other object may have hidden state, so it is compared
 * by identity.
 */
export function isSameValue(one: unknown, other: unknown): boolean {
  return isSame(one, other, new Map())
}

/** Pairs that count as equal: they have been compared already, or the comparison of them is going on. */
type Assumed = Map<object, object>

function isSame(one: unknown, other: unknown, assumed: Assumed): boolean {
  if (one === other || Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return false
  }
  const compare = comparisonOf(one)
  if (!compare || compare !== comparisonOf(other)) return false
  if (assumed.get(one) === other) return true
  assumed.set(one, other)
  if (compare(one as never, other as never, assumed)) return true
  assumed.delete(one)
  return false
}

type Compare = (one: never, other: never, assumed: Assumed) => boolean

/** How values of its kind are compared; undefined if they are compared by identity. */
function comparisonOf(value: object): Compare | undefined {
  if (ArrayBuffer.isView(value)) {
    // A `Buffer` of Node is sent as a `Uint8Array`, too.
    return Object.prototype.toString.call(value) === '[object Uint8Array]' ? sameBytes : undefined
  }
  return COMPARISONS.get(Object.getPrototypeOf(value))
}

// The prototype must match exactly: an instance of a subclass may have more state.
const COMPARISONS: ReadonlyMap<object | null, Compare> = new Map<object | null, Compare>([
  [null, sameMembers],
  [Object.prototype, sameMembers],
  [Array.prototype, sameItems],
  [Date.prototype, sameTime],
  [Map.prototype, sameEntries],
  [Set.prototype, sameElements],
])

function sameMembers(
  one: Record<string, unknown>,
  other: Record<string, unknown>,
  assumed: Assumed,
): boolean {
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key], assumed))
  )
}

function sameItems(one: unknown[], other: unknown[], assumed: Assumed): boolean {
  return one.length === other.length && one.every((item, at) => isSame(item, other[at], assumed))
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

function sameTime(one: Date, other: Date): boolean {
  return Object.is(one.getTime(), other.getTime())
}

function sameEntries(
  one: Map<unknown, unknown>,
  other: Map<unknown, unknown>,
  assumed: Assumed,
): boolean {
  return sameInAnyOrder([...one], [...other], assumed)
}

function sameElements(one: Set<unknown>, other: Set<unknown>, assumed: Assumed): boolean {
  return sameInAnyOrder([...one], [...other], assumed)
}

/** Whether the items can be paired with equal ones among the others. */
function sameInAnyOrder(items: unknown[], others: unknown[], assumed: Assumed): boolean {
  if (items.length !== others.length) return false
  return items.every((item) => {
    // Usually both are in the same order, so the first look finds it.
    const at = others.findIndex((other) => isSame(item, other, assumed))
    if (at >= 0) others.splice(at, 1)
    return at >= 0
  })
}
