import { defineContract, method, notification, RpcConfigError, stream } from '@flashrpc/core'
import { type } from 'arktype'
import Type from 'typebox'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const validate = (value: unknown) => ({ value })
const standard = { version: 1, vendor: 'test', validate } as const

/** The error with which a definition is refused. */
function refusal(define: () => unknown): RpcConfigError {
  try {
    define()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RpcConfigError)
    return thrown as RpcConfigError
  }
  return expect.fail('It was accepted')
}

describe('a schema that is none is refused where it is defined', () => {
  const none: Record<string, unknown> = {
    null: null,
    'a number': 5,
    'a text': 'string',
    'a boolean': true,
    'an empty object': {},
    'a list': [],
    'a function': () => true,
    'a TypeBox type': Type.Object({ a: Type.Number() }),
    'a JSON Schema': { type: 'object', properties: { a: { type: 'number' } } },
    'a schema whose ~standard is null': { '~standard': null },
    'a schema without validate': { '~standard': { version: 1, vendor: 'test' } },
  }

  test.each(Object.entries(none))('%s', (_, schema) => {
    const written = refusal(() => method({ params: schema as never }))
    expect(written.message).toMatch(/^params of a method is not a schema/)
    expect(written.message).toContain('zod, valibot, arktype')
    const error = refusal(() =>
      defineContract({ server: { add: { ...method(), params: schema as never } } }),
    )
    expect(error.method).toBe('add')
    expect(error.message).toMatch(/^params of "add" in the contract's server side is not a schema/)
    expect(error.message).toContain('zod, valibot, arktype')
  })

  const bad = {} as never
  test.each([
    ['params', method],
    ['result', method],
    ['input', method],
    ['progress', method],
    ['params', stream],
    ['item', stream],
    ['input', stream],
    ['params', notification],
  ])('%s of a definition, on both sides', (part, factory) => {
    const kind = factory.name
    const make = factory as (definition?: object) => object
    expect(refusal(() => make({ [part]: bad })).message).toContain(
      `${part} of a ${kind} is not a schema`,
    )
    for (const side of ['server', 'client'] as const) {
      const definition = { ...make(), [part]: bad }
      const { message } = refusal(() => defineContract({ [side]: { it: definition } } as never))
      expect(message).toContain(`${part} of "it" in the contract's ${side} side is not a schema`)
    }
  })

  test('it says what it is', () => {
    const messageOf = (schema: unknown) =>
      refusal(() => defineContract({ client: { it: method({ result: schema as never }) } })).message
    expect(messageOf(null)).toContain('it is null')
    expect(messageOf(5)).toContain('it is 5')
    expect(messageOf({})).toContain('it is an object without "~standard"')
    expect(messageOf(Type.Null())).toContain(
      'A TypeBox type and a plain JSON Schema need an adapter',
    )
  })
})

test.each([
  ['zod', z.object({ a: z.number() })],
  ['valibot', v.object({ a: v.number() })],
  // A function.
  ['arktype', type({ a: 'number' })],
  ['one of our own', { '~standard': standard }],
  ['a function with ~standard', Object.assign(() => {}, { '~standard': standard })],
  ['an adapter of TypeBox', { ...Type.Object({ a: Type.Number() }), '~standard': standard }],
  ['none', undefined],
])('a schema of %s is accepted', (_, schema) => {
  const contract = defineContract({ server: { add: method({ params: schema as never }) } })
  expect(contract.server.add.params).toBe(schema)
})
