import {
  type Codec,
  createClient,
  createChannel as createStandardChannel,
  memoryTransportPair,
  RpcValidationError,
} from '@flashrpc/core'
import { bytes, type Feature, keys, streams } from '@flashrpc/core/features'
import { createChannel } from '@flashrpc/core/lite'
import { createEndpoint } from '@flashrpc/core/lite/server'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint as createStandardEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { someBytes } from './support/codec-cases.js'
import { polled } from './support/eventually.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** What a side without the feature `bytes` does with bytes; with it, see `binary.test.ts`. */

interface Methods {
  echo(params: object): unknown
  file(): unknown
  note(params: object): void
  files(): AsyncIterable<unknown>
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const ADD = 'and JSON carries no bytes: add bytes() to features'

function methods() {
  const noted: unknown[] = []
  return {
    noted,
    all: {
      echo: (params: object) => params,
      file: () => ({ content: someBytes(3) }),
      note: (params: object) => void noted.push(params),
      async *files() {
        yield { content: someBytes(3) }
      },
    },
  }
}

/** Two channels over memory, with these features; without any, a standard one. */
function pair(
  serving: readonly Feature[] | undefined,
  calling: readonly Feature[] | undefined,
  codec?: Codec,
) {
  const [here, there] = memoryTransportPair()
  const errors: Error[] = []
  const { all, noted } = methods()
  const common = { ...(codec && { codec }), logger: false as const }
  const server = {
    ...common,
    side: 'server' as const,
    transport: there,
    methods: all as never,
    onError: [(_: unknown, error: unknown) => void errors.push(error as Error)],
  }
  const client = { ...common, side: 'client' as const, transport: here }
  if (serving) createChannel<Methods, object>({ ...server, features: serving })
  else createStandardChannel<Methods, object>(server)
  const caller = calling
    ? createChannel<object, Methods>({ ...client, features: calling })
    : createStandardChannel<object, Methods>(client)
  closing.push(() => caller.close())
  return { caller, errors, noted }
}

describe('without the feature', () => {
  test.each([
    ['a member', { file: someBytes(2) }, 'params.file is a Uint8Array'],
    [
      'an item, deep inside',
      { list: [1, { of: [someBytes(2)] }] },
      'params.list.1.of.0 is a Uint8Array',
    ],
    ['a later member of equal ones', [{ a: 1 }, { a: someBytes(1) }], 'params.1.a is a Uint8Array'],
    ['all params', someBytes(2), 'params is a Uint8Array'],
    ["Node's Buffer", { file: Buffer.from('x') }, 'params.file is a Uint8Array'],
    ['no bytes at all', { file: new Uint8Array() }, 'params.file is a Uint8Array'],
    ['another kind', { file: new Float32Array(1) }, 'params.file is a Float32Array'],
    ['raw memory', { file: new ArrayBuffer(1) }, 'params.file is an ArrayBuffer'],
    [
      'what a toJSON gives',
      { file: { toJSON: () => someBytes(2) } },
      'params.file is a Uint8Array',
    ],
  ])(
    'bytes as %s are refused before the call is sent, and the feature is named',
    async (_, params, where) => {
      const { caller, noted } = pair([], [])
      for (const send of [() => caller.call('echo', params), () => caller.notify('note', params)]) {
        const thrown = await rejection(send())
        expect(thrown).toBeInstanceOf(RpcValidationError)
        expect(thrown).toMatchObject({
          outcome: 'not-sent',
          message: expect.stringContaining(`${where}, ${ADD}`),
        })
      }
      expect(await caller.call('echo', { after: 1 })).toStrictEqual({ after: 1 })
      expect(noted).toStrictEqual([])
    },
  )

  test('an answer that has bytes becomes an error, and this side is told the remedy', async () => {
    const { caller, errors } = pair([], undefined)
    expect(await rejection(caller.call('file'))).toMatchObject({
      code: -32603,
      message: 'The answer of "file" can\'t be sent as json',
    })
    expect(errors).toMatchObject([
      { message: expect.stringContaining(`result.content is a Uint8Array, ${ADD}`) },
    ])
  })

  test('an item that has bytes ends its stream, and this side is told the remedy', async () => {
    const { caller, errors } = pair([streams()], undefined)
    const taken = (async () => {
      for await (const _ of caller.stream('files')) expect.fail('an item came')
    })()
    expect(await rejection(taken)).toMatchObject({ code: -32603 })
    await polled(() => errors).toMatchObject([
      { message: expect.stringContaining(`is a Uint8Array, ${ADD}`) },
    ])
  })

  test.each([
    ['without it', [], []],
    ['with it', [bytes()], [bytes()]],
    ['with it on one side', undefined, []],
  ])('MessagePack carries bytes: %s', async (_, serving, calling) => {
    const { caller } = pair(serving, calling, msgpackCodec)
    expect(await caller.call('echo', { file: someBytes(3) })).toStrictEqual({ file: someBytes(3) })
    expect(await caller.call('file')).toStrictEqual({ content: someBytes(3) })
  })

  test('values that make JSON of themselves arrive as with it', async () => {
    class List extends Array<unknown> {}
    let asked = 0
    const shared = { a: 1 }
    const params = {
      at: new Date(0),
      of: { toJSON: (key: string) => ({ key, asked: ++asked }) },
      list: List.from([{ toJSON: () => undefined }, shared, shared]),
      nothing: { toJSON: () => undefined },
      deep: { a: { b: { toJSON: () => [null, 'x'] } } },
    }
    const arrived = []
    for (const features of [[], [bytes()]]) {
      asked = 0
      arrived.push(await pair(features, features).caller.call('echo', params))
    }
    expect(arrived[0]).toStrictEqual({
      at: '1970-01-01T00:00:00.000Z',
      of: { key: 'of', asked: 1 },
      list: [null, { a: 1 }, { a: 1 }],
      deep: { a: { b: [null, 'x'] } },
    })
    expect(arrived[1]).toStrictEqual(arrived[0])
  })

  test('a result, or params, that make nothing of themselves are as with it', async () => {
    for (const features of [[], [bytes()]]) {
      const [here, there] = memoryTransportPair()
      createChannel<Methods, object>({
        side: 'server',
        transport: there,
        logger: false,
        features,
        methods: { echo: () => ({ toJSON: () => undefined }) } as never,
      })
      const options = { side: 'client' as const, transport: here, features }
      const caller = createChannel<object, Methods>(options)
      closing.push(() => caller.close())
      expect(await caller.call('echo', {})).toBeNull()
      const refused = await rejection(caller.call('echo', { toJSON: () => 1 }))
      expect(refused).toMatchObject({ message: expect.stringContaining('toJSON of params') })
    }
  })

  const nested = (levels: number) => {
    let value: unknown = 'x'
    for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value }
    return value as object
  }

  test('a message as deep as the other side takes arrives, and a deeper one is not sent', async () => {
    const { caller } = pair([], [])
    // The message is a level itself.
    expect(await caller.call('echo', nested(255))).toStrictEqual(nested(255))
    expect(await rejection(caller.call('echo', nested(256)))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('nests deeper than the 256 levels'),
    })
  })

  test.each([
    ['very deep params', nested(1_500), /nests deeper than 1000/],
    [
      'params with a cycle',
      Object.assign(nested(1), { circle: [] as unknown[] }),
      /circular|cyclic/i,
    ],
  ])('%s are refused', async (_, params, text) => {
    if ('circle' in params) (params.circle as unknown[]).push(params)
    const { caller } = pair([], [])
    expect(await rejection(caller.call('echo', params))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringMatching(text),
    })
  })
})

describe('a side with the feature', () => {
  test('puts bytes in their places, whatever is around them', async () => {
    const { caller } = pair([bytes()], [bytes()])
    const one = Uint8Array.of(1)
    const sent = {
      first: { toJSON: () => Uint8Array.of(7) },
      list: [{ of: { toJSON: () => ({ deep: one }) } }, one, { toJSON: () => [one] }, 'x'],
      last: { a: one, b: new Date(0) },
    }
    expect(await caller.call('echo', sent)).toStrictEqual({
      first: Uint8Array.of(7),
      list: [{ of: { deep: one } }, one, [one], 'x'],
      last: { a: one, b: '1970-01-01T00:00:00.000Z' },
    })
  })

  test('sends no bytes to a side without it, and says why', async () => {
    const { caller } = pair([], undefined)
    expect(await rejection(caller.call('echo', { file: someBytes(2) }))).toMatchObject({
      outcome: 'not-sent',
      issues: [{ path: ['file'] }],
      message: `"echo" was not sent: params.file is a Uint8Array, which the other side can't take: it has not offered to. Send them as text, or add bytes() to its features`,
    })
  })

  test('answers no bytes to a side without it, and says why', async () => {
    const { caller, errors } = pair(undefined, [])
    expect(await rejection(caller.call('file'))).toMatchObject({
      code: -32603,
      message: `result.content in the answer of "file" is a Uint8Array, which the other side can't take: it has not offered to`,
    })
    expect(errors).toHaveLength(1)
  })
})

test('a request that announces bytes to a server without the feature is not run', async () => {
  const { all, noted } = methods()
  const endpoint = createEndpoint<Methods>({ methods: all as never, logger: false })
  closing.push(() => endpoint.close())
  await using peer = await rawClient((await endpoint.listen()).url)
  const params = { v: 1, attempt: 1, codec: 'json', bytes: true, limits: { msg: 1_000 } }
  peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
  const { result } = (await peer.nextJson()) as { result: object }
  expect(result).not.toHaveProperty('bytes')
  const rpc = { bytes: [{ at: ['params', 'file'], size: 1 }] }
  peer.send({ jsonrpc: '2.0', id: 1, method: 'note', params: { file: null }, rpc })
  expect(await peer.nextJson()).toMatchObject({
    id: 1,
    error: { code: -32600, message: expect.stringContaining('bytes() is not among the features') },
  })
  expect(noted).toStrictEqual([])
})

test('a kept answer with bytes is lost for a server without the feature, and none of it is given', async () => {
  const store = memoryResultStore()
  const { all } = methods()
  let runs = 0
  const file = () => {
    runs++
    return { content: someBytes(3) }
  }
  const options = {
    methods: { ...all, file } as never,
    idempotency: { store },
    logger: false as const,
  }
  const answers: unknown[] = []
  for (const features of [undefined, undefined, [keys()]]) {
    const endpoint = features
      ? createEndpoint<Methods>({ ...options, features })
      : createStandardEndpoint<Methods>(options)
    closing.push(() => endpoint.close())
    const client = createClient<Methods>({ url: (await endpoint.listen()).url, logger: false })
    closing.push(() => client.close())
    const call = client.call('file', undefined, { idempotencyKey: 'k' })
    answers.push(await call.catch((error: unknown) => error))
  }
  expect(answers[0]).toStrictEqual({ content: someBytes(3) })
  expect(answers[1]).toStrictEqual(answers[0])
  expect(answers[2]).toMatchObject({ message: expect.stringContaining('is lost') })
  expect(runs).toBe(1)
})
