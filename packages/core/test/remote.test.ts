import { inspect } from 'node:util'
import { defineContract, method, notification } from '@flashrpc/core'
import { afterEach, describe, expect, test } from 'vitest'
import { pairOf, plainPairOf } from './support/pair.js'

const called: string[] = []

afterEach(() => {
  called.length = 0
})

interface Server {
  add(params?: { a: number }): string
  'reports.daily'(): string
}

const contract = defineContract({
  server: { add: method(), 'reports.daily': method(), note: notification() },
})

const methods = {
  add: () => {
    called.push('add')
    return 'added'
  },
  'reports.daily': () => {
    called.push('reports.daily')
    return 'report'
  },
}

/** `other` in each of its two kinds. */
const kinds = [
  {
    kind: 'of a contract',
    open: () => pairOf(contract, { server: { methods } }).client,
  },
  {
    kind: 'without a contract',
    open: () => plainPairOf<Server>({ server: { methods } }).client,
  },
]

describe.each(kinds)('other, $kind', ({ open }) => {
  test('has methods as members, with dots in their names too', async () => {
    const { other } = open()
    expect(await other.add()).toBe('added')
    expect(await other['reports.daily']()).toBe('report')
    expect(called).toStrictEqual(['add', 'reports.daily'])
  })

  test('is the same object, with the same members, each time', () => {
    const client = open()
    expect(client.other).toBe(client.other)
    expect(client.other.add).toBe(client.other.add)
    expect(client.other.add).not.toBe(client.other['reports.daily'])
    expect(client.other.add).not.toBe(open().other.add)
    expect(client.other.add.name).toBe('add')
  })

  test('works with its members taken out of it', async () => {
    const { add } = open().other
    expect(await add()).toBe('added')
  })

  test('can be awaited, and returned from an async function', async () => {
    const { other } = open()
    expect((await other) === other).toBe(true)
    expect((await (async () => other)()) === other).toBe(true)
    expect((await Promise.resolve(other)) === other).toBe(true)
  })

  test('can be printed', () => {
    const { other } = open()
    expect(`${other}`).toBe('[object Object]')
    expect(String(other)).toBe('[object Object]')
    expect(typeof inspect(other)).toBe('string')
    expect(typeof inspect(other, { showHidden: true, depth: 5, showProxy: true })).toBe('string')
    expect(JSON.stringify({ other })).toBe('{"other":{}}')
  })

  test('can be compared, spread, listed and cloned like any object', () => {
    const { other } = open()
    expect(Object.is(other, other)).toBe(true)
    expect((other as object) === open().other).toBe(false)
    expect(other instanceof Object).toBe(true)
    expect(Array.isArray(other)).toBe(false)
    expect(() => Object.entries({ ...other })).not.toThrow()
    expect(Object.prototype.toString.call(other)).toBe('[object Object]')
    for (const key in other) expect(key).toBeTypeOf('string')
  })

  test('is no function, and what JavaScript and React look for is not there', () => {
    const other = open().other as unknown as Record<PropertyKey, unknown>
    expect(typeof other).toBe('object')
    expect(() => (other as unknown as () => void)()).toThrow(TypeError)
    for (const key of ['then', 'catch', 'finally', 'toJSON', '$$typeof']) {
      expect(other[key]).toBeUndefined()
    }
    for (const symbol of [Symbol.iterator, Symbol.asyncIterator, Symbol.toPrimitive]) {
      expect(other[symbol]).toBeUndefined()
    }
    expect(other.constructor).toBe(Object)
    expect(other.hasOwnProperty).toBe(Object.prototype.hasOwnProperty)
    expect(Object.getPrototypeOf(other)).toBe(Object.prototype)
  })

  test('cannot be changed', () => {
    const other = open().other as unknown as Record<string, unknown>
    expect(() => {
      other.add = () => 1
    }).toThrow(TypeError)
    expect(() => Object.defineProperty(other, 'sub', { value: 1 })).toThrow(TypeError)
    expect(() => Object.setPrototypeOf(other, null)).toThrow(TypeError)
  })

  test('calls nothing by being looked at', async () => {
    const { other } = open()
    await other
    inspect(other)
    JSON.stringify(other)
    void `${other}`
    void other.add
    expect(await other['reports.daily']()).toBe('report')
    expect(called).toStrictEqual(['reports.daily'])
  })
})

test('other of a contract has its names and no others', () => {
  const { other } = pairOf(contract).client
  expect(Object.keys(other)).toStrictEqual(['add', 'reports.daily', 'note'])
  expect((other as Record<string, unknown>).sub).toBeUndefined()
})
