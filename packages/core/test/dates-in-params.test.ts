import {
  type ChannelOptions,
  defineContract,
  method,
  notification,
  RpcValidationError,
  type Schema,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { pairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'

/** A schema of our own, to do as we like. */
function schema(validate: (value: unknown) => unknown): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } }
}

describe('a date in params, which JSON makes text of', () => {
  const dates = defineContract({
    server: {
      strict: method({ params: z.object({ at: z.date(), n: z.number() }), result: z.string() }),
      coerced: method({ params: z.object({ at: z.coerce.date() }), result: z.string() }),
      either: method({
        params: z.object({ list: z.array(z.union([z.date(), z.string()])) }),
        result: z.string(),
      }),
      later: method({
        params: schema(async (value) => ({ value })),
        result: z.string(),
      }),
      failing: method({
        params: schema((value) => {
          if (typeof (value as { at: unknown }).at === 'string') throw new Error('no text')
          return { value }
        }),
      }),
      free: method({ result: z.string() }),
      told: notification({ params: z.object({ at: z.date() }) }),
    },
  })
  const at = new Date('2026-02-03T04:05:06.789Z')

  function connect(options: ChannelOptions = {}) {
    const seen: unknown[] = []
    const handler = (params: unknown) => {
      seen.push(params)
      return 'ok'
    }
    const methods = Object.fromEntries(Object.keys(dates.server).map((name) => [name, handler]))
    const { client } = pairOf(dates, {
      server: { methods: methods as never, ...options },
      client: options,
    })
    return { client, seen }
  }

  test('is refused before it is sent, where the schema takes no text', async () => {
    const { client, seen } = connect()
    const good = client.other.coerced({ at })
    const thrown = await rejection(client.other.strict({ at, n: 1 }))
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({
      method: 'strict',
      outcome: 'not-sent',
      message: expect.stringMatching(
        /"strict" can't be sent as json: a Date .*at: .*msgpackCodec.*z\.coerce\.date\(\)/,
      ),
    })
    expect(await rejection(client.other.told({ at }))).toMatchObject({ outcome: 'not-sent' })
    expect(await good).toBe('ok')
    expect(seen).toEqual([{ at }])
  })

  test('is sent where the schema takes text, or there is none to ask', async () => {
    const { client } = connect()
    expect(await client.other.coerced({ at })).toBe('ok')
    expect(await client.other.either({ list: [at, 'text'] })).toBe('ok')
    expect(await client.other.later({ at } as never)).toBe('ok')
  })

  test("is the other side's to refuse, where it is not all that is wrong, or the schema throws", async () => {
    const { client } = connect()
    expect(await rejection(client.other.strict({ at, n: 'x' as never }))).toMatchObject({
      code: -32602,
    })
    expect(await rejection(client.other.failing({ at } as never))).toMatchObject({ code: -32603 })
  })

  test('is sent as a date by a codec that carries it', async () => {
    const { client, seen } = connect({ codec: msgpackCodec })
    expect(await client.other.strict({ at, n: 1 })).toBe('ok')
    expect(seen).toEqual([{ at, n: 1 }])
  })
})
