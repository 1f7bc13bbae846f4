/** What becomes of a value on its way: it arrives as it was, or as another, or is refused. */
type Fate = 'same' | { as: unknown } | { refused: RegExp }

interface CodecCase {
  readonly name: string
  /** Made anew for each use, so that none sees what another did to it. */
  readonly value: () => unknown
  readonly json: Fate
  readonly msgpack: Fate
}

const always = (fate: Fate): Pick<CodecCase, 'json' | 'msgpack'> => ({ json: fate, msgpack: fate })

/** `length` bytes, no two runs of them alike. */
export function someBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff
  return bytes
}

const invalidDate = new Date(Number.NaN)
const text = 'as text \u0000 \u2028 "quoted" 🎉'

/** One table for every codec and every wire, each row used both ways. */
export const codecCases: readonly CodecCase[] = [
  { name: 'null', value: () => null, ...always('same') },
  { name: 'text', value: () => text, ...always('same') },
  {
    name: 'numbers',
    value: () => [0, -1, 1.5, 255, 65_536, 2 ** 33, -(2 ** 53), Number.MAX_VALUE],
    ...always('same'),
  },
  { name: 'nested objects', value: () => ({ a: [{ b: [[], {}] }] }), ...always('same') },
  {
    name: 'a long array',
    value: () => Array.from({ length: 66_000 }, (_, n) => n),
    ...always('same'),
  },
  { name: 'no bytes at all', value: () => new Uint8Array(), ...always('same') },
  { name: 'bytes', value: () => Uint8Array.of(0, 1, 127, 128, 255), ...always('same') },
  {
    name: 'bytes at any depth, beside other values',
    value: () => ({
      parts: [someBytes(3), [new Uint8Array(), { '': someBytes(2_000), '0': null }], 'x', null],
      toString: someBytes(1),
    }),
    ...always('same'),
  },
  {
    name: 'two hundred times bytes',
    value: () => Array.from({ length: 200 }, (_, n) => someBytes(n)),
    ...always('same'),
  },
  {
    name: 'the same bytes twice',
    value: () => {
      const bytes = someBytes(9)
      return { a: bytes, b: { bytes }, c: [bytes] }
    },
    ...always('same'),
  },
  {
    name: 'a part of a larger buffer',
    value: () => someBytes(100).subarray(40, 44),
    ...always({ as: someBytes(100).slice(40, 44) }),
  },
  {
    name: "Node's Buffer",
    value: () => ('Buffer' in globalThis ? globalThis.Buffer.from([1, 2]) : Uint8Array.of(1, 2)),
    ...always({ as: Uint8Array.of(1, 2) }),
  },
  {
    name: 'what looks like an announcement',
    value: () => ({
      rpc: { bytes: [{ at: ['params', 'value', 'x'], size: 1 }] },
      x: null,
      $bytes: 0,
      really: someBytes(2),
    }),
    ...always('same'),
  },
  {
    name: 'what makes JSON of itself, of bytes',
    value: () => ({ toJSON: () => ({ of: Uint8Array.of(7) }) }),
    json: { as: { of: Uint8Array.of(7) } },
    msgpack: { refused: /Function/ },
  },
  {
    name: 'a Float32Array',
    value: () => ({ in: [new Float32Array(2)] }),
    ...always({ refused: /only a Uint8Array is carried/ }),
  },
  {
    name: 'a DataView',
    value: () => new DataView(new ArrayBuffer(2)),
    ...always({ refused: /only a Uint8Array is carried/ }),
  },
  {
    name: 'an ArrayBuffer',
    value: () => new ArrayBuffer(2),
    ...always({ refused: /only a Uint8Array is carried/ }),
  },
  {
    name: 'a SharedArrayBuffer',
    value: () => ({
      // Most pages don't have `SharedArrayBuffer`.
      in: 'SharedArrayBuffer' in globalThis ? new SharedArrayBuffer(2) : new ArrayBuffer(2),
    }),
    ...always({ refused: /only a Uint8Array is carried/ }),
  },
  {
    name: 'an array that has bytes as a named member',
    value: () => ({ list: Object.assign([someBytes(2), 1], { extra: someBytes(3) }) }),
    ...always({ as: { list: [someBytes(2), 1] } }),
  },
  {
    name: 'what says otherwise when it is asked again',
    value: () => {
      const said = { of: Uint8Array.of(7), toJSON: () => 'otherwise' }
      return { toJSON: () => said }
    },
    json: { as: { of: Uint8Array.of(7) } },
    msgpack: { refused: /Function/ },
  },
  {
    name: 'an array of a class that says so, too',
    value: () => {
      class List extends Array<unknown> {
        asked = 0
        toJSON(): unknown {
          return this.asked++ === 0 ? this : 'otherwise'
        }
      }
      return { list: List.from([Uint8Array.of(7)]) }
    },
    ...always({ as: { list: [Uint8Array.of(7)] } }),
  },
  {
    name: 'a date that has bytes',
    value: () => ({ at: Object.assign(new Date(0), { of: someBytes(2) }), of: someBytes(1) }),
    json: { as: { at: '1970-01-01T00:00:00.000Z', of: someBytes(1) } },
    msgpack: { as: { at: new Date(0), of: someBytes(1) } },
  },
  {
    name: 'a date that says that it is nothing',
    value: () => {
      const date = new Date(0)
      Object.defineProperty(date, 'toJSON', { value: () => undefined })
      return { at: date, b: 1 }
    },
    json: { as: { b: 1 } },
    msgpack: { as: { at: new Date(0), b: 1 } },
  },
  {
    name: 'a member named __proto__',
    value: () => JSON.parse('{"__proto__":{"polluted":1}}'),
    json: 'same',
    msgpack: { refused: /__proto__/ },
  },
  {
    name: 'members that are undefined',
    value: () => ({ a: undefined, b: 1 }),
    ...always({ as: { b: 1 } }),
  },
  { name: 'items that are undefined', value: () => [undefined, 1], ...always({ as: [null, 1] }) },
  {
    name: 'a date',
    value: () => new Date('2026-02-03T04:05:06.789Z'),
    json: { as: '2026-02-03T04:05:06.789Z' },
    msgpack: 'same',
  },
  {
    name: 'a date before 1970',
    value: () => new Date(-1e13),
    json: { as: '1653-02-10T06:13:20.000Z' },
    msgpack: 'same',
  },
  {
    name: 'no date',
    value: () => invalidDate,
    json: { as: null },
    msgpack: { refused: /invalid Date/ },
  },
  {
    name: 'a map',
    value: () =>
      new Map<unknown, unknown>([
        [1, ['a', someBytes(2)]],
        ['k', new Map([[new Date(5), 1n]])],
      ]),
    json: { as: {} },
    msgpack: 'same',
  },
  {
    name: 'a set',
    value: () => new Set([1, 'a', new Set([2])]),
    json: { as: {} },
    msgpack: 'same',
  },
  {
    name: 'bigints',
    value: () => [0n, -1n, 2n ** 64n, -(10n ** 100n)],
    json: { refused: /BigInt/ },
    msgpack: 'same',
  },
  {
    name: 'no numbers',
    value: () => [Number.NaN, Number.POSITIVE_INFINITY],
    json: { as: [null, null] },
    msgpack: 'same',
  },
  {
    name: 'a cycle',
    value: () => {
      const cycle: { self?: unknown } = {}
      cycle.self = cycle
      return cycle
    },
    json: { refused: /circular/ },
    msgpack: { refused: /deep/ },
  },
]
