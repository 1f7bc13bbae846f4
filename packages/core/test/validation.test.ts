import {
  defineContract,
  method,
  notification,
  RpcConfigError,
  RpcError,
  RpcValidationError,
  type Schema,
} from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { pairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'

/** A schema of our own, to fail in ways of our own. */
function schema(validate: (value: unknown) => unknown): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } }
}

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    pair: method({ params: z.tuple([z.number(), z.number()]), result: z.number() }),
    trimmed: method({
      params: z.object({ text: z.string().trim(), times: z.number().default(2) }),
      result: z.string().transform((text) => text.length),
    }),
    optional: method({ params: z.object({ a: z.number() }).optional(), result: z.boolean() }),
    nothing: method({ result: z.void() }),
    nullable: method({ result: z.null() }),
    maybe: method({ result: z.string().optional() }),
    anything: method(),
    count: method({ result: z.number() }),
    later: method({
      params: schema(async (value) => ({ value: { ...(value as object), later: true } })),
      result: schema(async (value) => ({ value: [value] })),
    }),
    broken: method({
      params: schema(() => {
        throw new Error('secret: the schema looked into a database')
      }),
    }),
    brokenResult: method({ result: schema(() => Promise.reject(new Error('No such table'))) }),
    keyed: method({
      params: schema(() => ({
        issues: [{ message: 'odd', path: [{ key: 'a' }, 0, Symbol('s')], secret: 1 }],
      })),
    }),
    told: notification({ params: z.object({ n: z.number() }) }),
  },
})

/** A server whose handlers all give the same, 0 where nothing else is said. */
function open(...given: [result?: unknown]) {
  const result = given.length > 0 ? given[0] : 0
  const seen: unknown[] = []
  const errors: unknown[] = []
  const handler = (params: unknown) => {
    seen.push(params)
    return result as never
  }
  const { client } = pairOf(contract, {
    server: {
      onError: [(_, error) => errors.push(error)],
      methods: Object.fromEntries(Object.keys(contract.server).map((name) => [name, handler])),
    },
  })
  // Its types would not let it make mistakes.
  // biome-ignore lint/suspicious/noExplicitAny: mistakes are the subject
  return { client, other: client.other as any, seen, errors }
}

describe('params', () => {
  test('that break their schema are refused by the callee, who says where', async () => {
    const { other, seen, errors } = open()
    const thrown = await rejection(other.add({ a: '5', c: 1 }))
    expect(thrown).toBeInstanceOf(RpcError)
    expect(thrown).toMatchObject({
      code: -32602,
      method: 'add',
      data: {
        issues: [
          { message: expect.any(String), path: ['a'] },
          { message: expect.any(String), path: ['b'] },
        ],
      },
    })
    expect((thrown as RpcError).message).toMatch(/"add".*a: .*; b: /)
    expect(seen).toStrictEqual([])
    // The caller was told: nobody else need be.
    expect(errors).toStrictEqual([])
  })

  test('that are missing are refused', async () => {
    const { other } = open()
    expect(await rejection(other.add())).toMatchObject({ code: -32602 })
    expect(await rejection(other.add([1, 2]))).toMatchObject({ code: -32602 })
  })

  test('may be an array where the schema takes one', async () => {
    const { other, seen } = open()
    await other.pair([1, 2])
    expect(seen).toStrictEqual([[1, 2]])
  })

  test('reach the handler as the schema made them', async () => {
    const { other, seen } = open('four')
    expect(await other.trimmed({ text: '  hi ' })).toBe(4)
    expect(seen).toStrictEqual([{ text: 'hi', times: 2 }])
  })

  test('may be left out where the schema allows it', async () => {
    const { other, seen } = open(true)
    await other.optional()
    await other.optional({ a: 1 })
    expect(seen).toStrictEqual([undefined, { a: 1 }])
  })

  test('of a method that takes none do not reach the handler', async () => {
    const { other, seen } = open()
    await other.count({ surprise: 1 })
    expect(seen).toStrictEqual([undefined])
  })

  test('may be validated by an asynchronous schema', async () => {
    const { other, seen } = open('x')
    expect(await other.later({ a: 1 })).toStrictEqual(['x'])
    expect(seen).toStrictEqual([{ a: 1, later: true }])
  })

  test('whose schema throws are an error of the callee, which it alone hears of', async () => {
    const { other, seen, errors } = open()
    const thrown = await rejection(other.broken({}))
    expect(thrown).toMatchObject({ code: -32603, data: undefined })
    expect((thrown as RpcError).message).not.toContain('secret')
    expect(errors).toMatchObject([{ message: expect.stringContaining('secret') }])
    expect(seen).toStrictEqual([])
  })

  test('are complained of by texts and keys only, never by objects of the schema', async () => {
    const { other } = open()
    expect(await rejection(other.keyed({}))).toMatchObject({
      data: { issues: [{ message: 'odd', path: ['a', 0, 'Symbol(s)'] }] },
    })
  })

  test.each([1, 'text', true, null, () => {}])('cannot be %s', async (params) => {
    const { other, seen } = open()
    const thrown = await rejection(other.add(params))
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({ outcome: 'not-sent', method: 'add' })
    expect(seen).toStrictEqual([])
  })

  test('of a notification that break their schema are told to the receiver', async () => {
    const { other, seen, errors } = open()
    await other.told({ n: 'one' })
    await other.told({ n: 1 })
    await polled(() => seen).toStrictEqual([{ n: 1 }])
    expect(errors).toMatchObject([{ code: -32602 }])
  })
})

describe('a result', () => {
  test('that breaks its schema rejects the call, which did run', async () => {
    const { other } = open('fifteen')
    const thrown = await rejection(other.add({ a: 5, b: 10 }))
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({
      code: -32007,
      outcome: 'maybe-executed',
      method: 'add',
      issues: [{ message: expect.any(String) }],
    })
  })

  test('of undefined is undefined where the schema says so, and null where it says that', async () => {
    const { other } = open(undefined)
    expect(await other.nothing()).toBeUndefined()
    expect(await other.maybe()).toBeUndefined()
    expect(await other.nullable()).toBeNull()
    expect(await other.anything()).toBeNull()
    expect(await rejection(other.count())).toBeInstanceOf(RpcValidationError)
  })

  test('without a schema is handed on as it is', async () => {
    const { other } = open({ any: ['thing', 1, null] })
    expect(await other.anything()).toStrictEqual({ any: ['thing', 1, null] })
  })

  test('whose schema throws rejects the call, and says so', async () => {
    const { other } = open(1)
    const thrown = await rejection(other.brokenResult())
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({ outcome: 'maybe-executed', cause: new Error('No such table') })
  })
})

describe('a contract', () => {
  test.each([
    '',
    '_private',
    'rpc.hello',
    'rpc.',
    'then',
    'catch',
    'finally',
    'toJSON',
    '$$typeof',
    'constructor',
    'toString',
    'hasOwnProperty',
  ])('cannot have a method "%s"', (name) => {
    expect(() => defineContract({ server: { [name]: method() } })).toThrow(RpcConfigError)
    expect(() => defineContract({ client: { [name]: notification() } })).toThrow(`"${name}"`)
  })

  test('holds definitions and nothing else', () => {
    const define = (add: unknown) => () => defineContract({ server: { add: add as never } })
    expect(define(() => 1)).toThrow(/"add".*server.*method\(/)
    expect(define(null)).toThrow(RpcConfigError)
    expect(define(undefined)).toThrow(RpcConfigError)
  })

  test('is frozen, and does not follow what it was made of', () => {
    const server: Record<string, ReturnType<typeof method>> = { add: method() }
    const made = defineContract({ server })
    server.sub = method()
    expect(Object.keys(made.server)).toStrictEqual(['add'])
    expect(Object.isFrozen(made) && Object.isFrozen(made.server)).toBe(true)
    expect(made.client).toStrictEqual({})
  })
})
