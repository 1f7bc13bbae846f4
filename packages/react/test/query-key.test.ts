import { rpcQueryKey } from '@flashrpc/react/query'
import { hashKey, QueryClient } from '@tanstack/react-query'
import { describe, expect, test } from 'vitest'

/** Its state is private, and it has no `toJSON`. */
class Secret {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  get value() {
    return this.#value
  }
}

/** As a `Temporal.PlainDate`, it has private state and a `toJSON`. */
class Day {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toJSON() {
    return this.#text
  }
}

const hash = (params: unknown) => hashKey(rpcQueryKey('order', params))
const bytes = (...values: number[]) => Uint8Array.from(values)
const secret = new Secret(1)

test.each<[string, unknown, unknown]>([
  ['keys in another order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
  ['bytes', { a: bytes(1, 2) }, { a: bytes(1, 2) }],
  ['bytes of Node', { a: Buffer.from([1, 2]) }, { a: bytes(1, 2) }],
  ['NaN', [Number.NaN], [Number.NaN]],
  ['bigints', { id: 7n }, { id: 7n }],
  ['dates', { at: new Date(5) }, { at: new Date(5) }],
  ['what says itself as JSON', { on: new Day('2026-01-01') }, { on: new Day('2026-01-01') }],
  [
    'maps in another order',
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
    new Map([
      ['b', 2],
      ['a', 1],
    ]),
  ],
  ['sets in another order', new Set([{ a: 1, b: 2 }, 3]), new Set([3, { b: 2, a: 1 }])],
  ['the very same instance', { by: secret }, { by: secret }],
])('the same key: %s', (_, one, other) => {
  expect(hash(one)).toBe(hash(other))
})

test.each<[string, unknown, unknown]>([
  ['instances with a state of their own', { by: new Secret(1) }, { by: new Secret(2) }],
  ['an instance and nothing', { by: new Secret(1) }, { by: {} }],
  ['what says itself as JSON', { on: new Day('2026-01-01') }, { on: new Day('2026-01-02') }],
  ['maps', { filter: new Map([['a', 1]]) }, { filter: new Map([['a', 2]]) }],
  ['sets', { tags: new Set(['a']) }, { tags: new Set(['b']) }],
  ['a map and an object', { filter: new Map() }, { filter: {} }],
  ['a map and a set', new Map(), new Set()],
  ['bytes', { id: bytes(1, 2) }, { id: bytes(1, 3) }],
  ['NaN and null', { a: Number.NaN }, { a: null }],
  ['infinities', [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY]],
  ['a bigint and its text', { id: 7n }, { id: '7' }],
  ['functions', { a: () => 1 }, { a: () => 2 }],
])('another key: %s', (_, one, other) => {
  expect(hash(one)).not.toBe(hash(other))
})

describe('a key', () => {
  test('of plain data is what it always was', () => {
    const params = { id: '7', list: [1, null, { deep: true }], none: undefined }
    expect(rpcQueryKey('order', params)).toEqual(['flashrpc', 'order', params])
  })

  test('with params that JSON has no word for finds and invalidates its query', async () => {
    const queryClient = new QueryClient()
    const key = () => rpcQueryKey('order', { tags: new Set(['a', 'b']), id: 7n })
    queryClient.setQueryData(key(), 'cached')
    queryClient.setQueryData(rpcQueryKey('order', { tags: new Set(['a']), id: 7n }), 'another')
    expect(queryClient.getQueryData(key())).toBe('cached')
    await queryClient.invalidateQueries({ queryKey: key() })
    const stale = queryClient.getQueryCache().findAll({ stale: true })
    expect(stale.map(({ state }) => state.data)).toEqual(['cached'])
    queryClient.clear()
  })

  test('of params that hold themselves is an error, and no endless search', () => {
    const params: Record<string, unknown> = { list: [] }
    params.self = params
    expect(() => hash(params)).toThrow(
      /^The params of "order" can't be a query key: they contain themselves$/,
    )
  })
})
