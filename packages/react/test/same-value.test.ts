import { expect, test } from 'vitest'
import { isSameValue } from '../src/same-value.js'

/** Its state is its own, as that of a `Temporal.PlainDate`, a `URL` or an `Intl` object is. */
class Secret {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  toJSON() {
    return this.#value
  }
}

const bytes = (...values: number[]) => Uint8Array.from(values)

function holdsItself() {
  const value: Record<string, unknown> = { name: 'loop' }
  value.self = value
  value.list = [value, { value }]
  return value
}

test.each<[string, unknown, unknown]>([
  ['keys in another order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
  ['no prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ['NaN', { a: Number.NaN }, { a: Number.NaN }],
  ['zeros', { a: 0 }, { a: -0 }],
  ['arrays', [1, [2, { a: [] }]], [1, [2, { a: [] }]]],
  ['bytes', { a: bytes(1, 2) }, { a: bytes(1, 2) }],
  ['bytes of Node', { a: Buffer.from([1, 2]) }, { a: bytes(1, 2) }],
  ['bytes of a longer memory', new Uint8Array(bytes(9, 1, 2).buffer, 1), bytes(1, 2)],
  ['dates', { a: new Date(5) }, { a: new Date(5) }],
  ['invalid dates', new Date(Number.NaN), new Date(Number.NaN)],
  ['bigints', { a: 5n }, { a: 5n }],
  ['maps', new Map([['a', { b: 1 }]]), new Map([['a', { b: 1 }]])],
  [
    'maps in another order',
    new Map([
      [{ k: 1 }, 'x'],
      [{ k: 2 }, 'y'],
    ]),
    new Map([
      [{ k: 2 }, 'y'],
      [{ k: 1 }, 'x'],
    ]),
  ],
  ['sets in another order', new Set([[1], [2]]), new Set([[2], [1]])],
  ['values that hold themselves', holdsItself(), holdsItself()],
])('the same: %s', (_, one, other) => {
  expect(isSameValue(one, other)).toBe(true)
  expect(isSameValue(other, one)).toBe(true)
})

const secret = new Secret(1)

test.each<[string, unknown, unknown]>([
  ['instances with a state of their own', { on: new Secret(1) }, { on: new Secret(2) }],
  ['… however alike', { on: new Secret(1) }, { on: new Secret(1) }],
  ['urls', new URL('http://one'), new URL('http://two')],
  ['regular expressions', /a/, /b/],
  ['errors', new Error('a'), new Error('a')],
  ['promises', Promise.resolve(1), Promise.resolve(2)],
  [
    'subclasses of what is compared',
    new (class extends Date {})(5),
    new (class extends Date {})(5),
  ],
  ['an instance and a plain object', Object.assign(new (class {})(), { a: 1 }), { a: 1 }],
  ['functions', { a: () => 1 }, { a: () => 1 }],
  ['memory that is not carried', new Uint16Array([1]), new Uint16Array([1])],
  ['no member and one without a value', {}, { a: undefined }],
  ['as many members of other names', { a: undefined }, { b: undefined }],
  ['inherited names', { toString: Object.prototype.toString }, { a: 1 }],
  ['null and an object', null, {}],
  ['an array and an object', [], {}],
  ['a date and its text', new Date(5), new Date(5).toISOString()],
  ['lengths', [1], [1, 2]],
  ['bytes', bytes(1, 2), bytes(1, 3)],
  ['dates', new Date(5), new Date(6)],
  ['maps', new Map([['a', 1]]), new Map([['a', 2]])],
  ['sets of which two are like one', new Set([[1], [1]]), new Set([[1], [2]])],
  ['a map and a set', new Map(), new Set()],
])('not the same: %s', (_, one, other) => {
  expect(isSameValue(one, other)).toBe(false)
  expect(isSameValue(other, one)).toBe(false)
})

test('the very same, whatever it is', () => {
  for (const value of [secret, () => 1, /a/, Symbol.iterator]) {
    expect(isSameValue({ value }, { value })).toBe(true)
  }
})
