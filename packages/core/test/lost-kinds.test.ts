import {
  type ChannelOptions,
  type Codec,
  defineContract,
  jsonCodec,
  method,
  type RpcValidationError,
  type Schema,
  stream,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { pairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'

/** Kinds of values that JSON does not carry: the errors of schemas name them, and the codec that does. */

const REMEDY = 'give both sides codec: msgpackCodec (@flashrpc/core/msgpack)'
const at = new Date('2026-02-03T04:05:06.789Z')

type Call = (name: string, params?: object, options?: object) => Promise<unknown>

/** Whatever the types say: it is what a handler in JavaScript may give. */
function connect(server: object, methods: object, options: ChannelOptions = {}) {
  const errors: Error[] = []
  const told: Error[] = []
  const into = (list: Error[]) => [(_: unknown, error: unknown) => list.push(error as Error)]
  const contract = defineContract({ server: server as never })
  const { client } = pairOf(contract, {
    server: { methods: methods as never, onError: into(errors), ...options },
    client: { onError: into(told), ...options },
  })
  const call = client.call.bind(client) as unknown as Call
  const open = client.stream.bind(client) as unknown as (name: string) => AsyncIterable<unknown>
  const items = async (name: string) => {
    for await (const _ of open(name)) void _
  }
  return { call, items, errors, told }
}

/** One value of each kind, with a schema that takes only that, and what JSON makes of it. */
const KINDS: readonly [kind: string, value: unknown, schema: Schema, becomes: string][] = [
  ['Date', at, z.date(), 'text'],
  ['Map', new Map([['a', 1]]), z.map(z.string(), z.number()), '{}'],
  ['Set', new Set([1]), z.set(z.number()), '{}'],
  ['Infinity', Number.POSITIVE_INFINITY, z.custom((value) => value === 1 / 0), 'null'],
  ['NaN', Number.NaN, z.nan(), 'null'],
]

describe.each(KINDS)('%s', (kind, value, schema, becomes) => {
  const told = `JSON carries no ${kind}, and made ${becomes} of it: ${REMEDY}, or have the schema take ${becomes}`
  const nested = z.object({ list: z.array(z.object({ it: schema as z.ZodType })), n: z.number() })
  const within = { list: [{ it: value }], n: 1 }
  const server = {
    whole: method({ result: schema }),
    part: method({ result: nested }),
    items: stream({ item: nested }),
    progress: method({ progress: nested, result: z.string() }),
    take: method({ params: nested, result: z.string() }),
    eat: method({ input: nested, result: z.string() }),
  }
  const methods = {
    whole: () => value,
    part: () => within,
    items: async function* () {
      yield within
    },
    progress: async (_: unknown, { progress }: { progress(value: unknown): void }) => {
      progress(within)
      return 'done'
    },
    take: () => 'taken',
    eat: async (_: unknown, { input }: { input: AsyncIterable<unknown> }) => {
      for await (const _item of input) void _item
      return 'eaten'
    },
  }

  test('as a result, and in one, is named with the codec that carries it', async () => {
    const { call } = connect(server, methods)
    const whole = (await rejection(call('whole'))) as RpcValidationError
    expect(whole.name).toBe('RpcValidationError')
    expect(whole.message).toMatch(/^The result of "whole" breaks its schema: /)
    expect(whole.message).toContain(told)
    expect(whole.message).not.toContain('another version')
    const part = (await rejection(call('part'))) as RpcValidationError
    expect(part.message).toMatch(/^The result of "part" breaks its schema: list\.0\.it: /)
    expect(part.message).toContain(told)
  })

  test('in an item of a stream, and in what is told of progress', async () => {
    const { items, call, told: reported } = connect(server, methods)
    const item = (await rejection(items('items'))) as Error
    expect(item.message).toMatch(/^An item of "items" breaks its schema: /)
    expect(item.message).toContain(told)
    expect(await call('progress', undefined, { onProgress() {} })).toBe('done')
    expect(reported.map(({ message }) => message)).toEqual([expect.stringContaining(told)])
  })

  test('in params, and in input that goes along', async () => {
    const { call } = connect(server, methods)
    const params = (await rejection(call('take', within))) as Error
    // A date is refused before it is sent, in words of its own.
    if (kind === 'Date') expect(params.message).toContain(REMEDY)
    else expect(params).toMatchObject({ code: -32602, message: expect.stringContaining(told) })
    const input = (await rejection(call('eat', undefined, { input: [within] }))) as Error
    expect(input).toMatchObject({ code: -32602, message: expect.stringContaining(told) })
  })

  test('arrives by the codec that is named', async () => {
    const { call, items } = connect(server, methods, { codec: msgpackCodec })
    expect(await call('whole')).toStrictEqual(value)
    expect(await call('take', within)).toBe('taken')
    expect(await call('eat', undefined, { input: [within] })).toBe('eaten')
    await items('items')
  })
})

describe('bigint, which JSON refuses', () => {
  const server = {
    give: method({ result: z.bigint() }),
    items: stream({ item: z.bigint() }),
    take: method({ params: z.object({ n: z.bigint() }) }),
  }
  const methods = {
    give: () => 5n,
    items: async function* () {
      yield 5n
    },
    take: () => {},
  }
  const told = `JSON carries no bigint: ${REMEDY}, or have the schema take text`

  test('is named to who sends it: in params, in a result, in an item', async () => {
    const { call, items, errors } = connect(server, methods)
    expect(await rejection(call('take', { n: 5n }))).toMatchObject({
      message: expect.stringMatching(/^The params of "take" can't be sent as json: .*BigInt/),
    })
    expect(((await rejection(call('take', { n: 5n }))) as Error).message).toContain(told)
    expect(await rejection(call('give'))).toMatchObject({
      message: `The answer of "give" can't be sent as json`,
    })
    await rejection(items('items'))
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^The answer of "give" can't be sent as json: .*BigInt/),
      expect.stringMatching(/^An item of "items" can't be sent: as json: .*BigInt/),
    ])
    for (const { message } of errors) expect(message).toContain(told)
  })

  test('is named to who reads it, where an application makes text of it', async () => {
    const { call } = connect(server, { ...methods, give: () => '5' })
    expect(((await rejection(call('give'))) as Error).message).toContain(
      `JSON carries no bigint, and made text of it: ${REMEDY}`,
    )
  })
})

test('bytes that a plain peer wrote as JSON are named', async () => {
  const bytes = z.custom((value) => value instanceof Uint8Array)
  const server = { give: method({ result: z.object({ file: bytes }) }) }
  for (const file of [
    { 0: 1, 1: 2 },
    { type: 'Buffer', data: [1, 2] },
  ]) {
    const { call } = connect(server, { give: () => ({ file }) })
    expect(((await rejection(call('give'))) as Error).message).toContain(
      `JSON carries no Uint8Array, and made an object of it: ${REMEDY}`,
    )
  }
})

describe('what breaks a schema for another reason', () => {
  const other = 'The contract of the other side may be of another version'

  test('is not said to be Infinity, if the schema takes any number and got null', async () => {
    const number = z.custom((value) => typeof value === 'number')
    const { call } = connect({ give: method({ result: number }) }, { give: () => null })
    const { message } = (await rejection(call('give'))) as Error
    expect(message).toContain(other)
    expect(message).not.toContain('Infinity')
  })
  const wrong = { give: method({ result: z.object({ at: z.date(), name: z.string() }) }) }

  test.each([
    ['another kind of text', { at: 'tomorrow', name: 'x' }],
    ['a number', { at: 5, name: 'x' }],
    ['nothing', { name: 'x' }],
  ])('names no codec: %s', async (_, value) => {
    const { call } = connect(wrong, { give: () => value })
    const { message } = (await rejection(call('give'))) as Error
    expect(message).toContain(other)
    expect(message).not.toContain('codec')
  })

  test('is told beside it', async () => {
    const { call } = connect(wrong, { give: () => ({ at, name: 5 }) })
    const { message } = (await rejection(call('give'))) as Error
    expect(message).toMatch(/name: .*JSON carries no Date/)
  })

  test('names no codec to those who have another one', async () => {
    const own: Codec = { ...jsonCodec, name: 'own' }
    for (const codec of [own, msgpackCodec]) {
      const give = () => ({ at: at.toJSON(), name: 'x' })
      const { call } = connect(wrong, { give }, { codec })
      expect(((await rejection(call('give'))) as Error).message).toContain(other)
    }
  })

  test('is not asked of a schema that is asynchronous, or throws', async () => {
    const later: Schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async () => ({ issues: [{ message: 'no' }] }),
      },
    }
    let isAsked = false
    const once: Schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          if (isAsked) throw new Error('once only')
          isAsked = true
          return { issues: [{ message: 'no' }] }
        },
      },
    }
    const server = { later: method({ result: later }), once: method({ result: once }) }
    const { call } = connect(server, { later: () => at, once: () => at })
    expect(((await rejection(call('later'))) as Error).message).toContain(other)
    expect(((await rejection(call('once'))) as Error).message).toContain(other)
  })
})
