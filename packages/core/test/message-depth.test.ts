import {
  type ChannelOptions,
  type Codec,
  createClient,
  RpcError,
  RpcValidationError,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'

/** What nests deeper than the other side accepts is not sent, and nothing else is lost by it (`limits.depth`). */

interface Server {
  echo(params: { value: unknown }): unknown
  deep(params: { levels: number; bytes?: boolean }): unknown
  note(params: { value: unknown }): void
  ticks(params: { levels: number }): AsyncIterable<unknown>
  sum(): number
  report(params: { levels: number }): string
}

interface Page {
  ask(params: { value: unknown }): unknown
  deep(params: { levels: number }): unknown
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Arrays in arrays, of so many levels, with a value in the innermost. */
function nest(levels: number, bottom: unknown = 1): unknown {
  let value = bottom
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

async function connect(
  serving: Partial<EndpointOptions<Server, Page>> = {},
  calling: ChannelOptions = {},
) {
  const errors: unknown[] = []
  const noted: unknown[] = []
  const endpoint = createEndpoint<Server, Page>({
    resume: {},
    onError: [(_, error) => errors.push(error)],
    ...serving,
    methods: {
      echo: ({ value }) => value,
      deep: ({ levels, bytes }) => nest(levels, bytes ? new Uint8Array(3) : 1),
      note: ({ value }) => void noted.push(value),
      async *ticks({ levels }) {
        yield 'first'
        yield nest(levels)
      },
      sum: async (_, { input }) => {
        let items = 0
        for await (const _ of input as AsyncIterable<unknown>) items++
        return items
      },
      report: ({ levels }, { progress }) => {
        progress(nest(levels))
        return 'done'
      },
    },
  })
  opened.push(() => endpoint.close())
  const { url } = await endpoint.listen()
  const client = createClient<Server, Page>({
    url,
    ...calling,
    methods: { ask: ({ value }) => value, deep: ({ levels }) => nest(levels) },
  })
  opened.push(() => client.close())
  await client.connect()
  const [channel] = endpoint.channels
  if (!channel) throw new Error('There is no channel')
  return { client, channel, errors, noted }
}

const TOO_DEEP = {
  outcome: 'not-sent',
  message: expect.stringMatching(/"\w+" was not sent: .*256 levels.*limit "depth"$/),
}

describe.each([
  ['without bytes', 1],
  ['with bytes at the bottom', new Uint8Array(3)],
])('%s', (_, bottom) => {
  test('a call is refused before it is sent, and the others of its turn are answered', async () => {
    const { client, errors } = await connect()
    const good = [client.other.echo({ value: 1 }), client.other.echo({ value: nest(250, bottom) })]
    const refused = rejection(client.other.echo({ value: nest(300, bottom) }))
    good.push(client.other.echo({ value: 3 }))
    const error = await refused
    expect(error).toBeInstanceOf(RpcValidationError)
    expect(error).toMatchObject({ ...TOO_DEEP, method: 'echo' })
    expect(await Promise.all(good)).toEqual([1, nest(250, bottom), 3])
    expect(client.state.status).toBe('connected')
    expect(errors).toEqual([])
  })

  test("a server's call to its client, and a notification, are too", async () => {
    const { client, channel, noted } = await connect()
    const good = channel.other.ask({ value: 1 })
    expect(await rejection(channel.other.ask({ value: nest(300, bottom) }))).toMatchObject(TOO_DEEP)
    expect(await good).toBe(1)
    const note = client.notify('note', { value: nest(300, bottom) })
    expect(await rejection(note)).toMatchObject(TOO_DEEP)
    await client.notify('note', { value: 2 })
    await polled(() => noted).toEqual([2])
    expect(client.state.status).toBe('connected')
  })

  test('an item of input ends its call alone', async () => {
    const { client } = await connect()
    const good = client.call('sum', undefined, { input: [1, 2] })
    const bad = client.call('sum', undefined, { input: [1, nest(300, bottom), 3] })
    expect(await rejection(bad)).toMatchObject({
      message: expect.stringContaining('nests deeper than the 256 levels'),
    })
    expect(await good).toBe(2)
    expect(client.state.status).toBe('connected')
  })
})

test('an answer is an error instead, and the others are not', async () => {
  const { client, channel, errors } = await connect()
  for (const bytes of [false, true]) {
    const good = [client.other.echo({ value: 1 }), client.other.deep({ levels: 250, bytes })]
    const error = await rejection(client.other.deep({ levels: 300, bytes }))
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({
      code: -32603,
      message: 'The answer of "deep" nests deeper than the 256 levels its caller accepts',
    })
    expect(await Promise.all(good)).toEqual([1, nest(250, bytes ? new Uint8Array(3) : 1)])
  }
  expect(errors).toHaveLength(2)
  expect(await rejection(channel.other.deep({ levels: 300 }))).toMatchObject({ code: -32603 })
  expect(client.state.status).toBe('connected')
})

test('an item ends its stream, behind those before it', async () => {
  const { client, errors } = await connect()
  const items: unknown[] = []
  const taken = (async () => {
    for await (const item of client.stream('ticks', { levels: 300 })) items.push(item)
  })()
  expect(await rejection(taken)).toMatchObject({
    code: -32603,
    message: expect.stringContaining('An item of "ticks"'),
  })
  expect(items).toEqual(['first'])
  expect(errors).toMatchObject([{ message: expect.stringContaining('nests deeper than the 256') }])
  expect(client.state.status).toBe('connected')
})

test('progress is not told, and the call goes on', async () => {
  const { client, errors } = await connect()
  const told: unknown[] = []
  const options = { onProgress: (value: unknown) => void told.push(value) }
  expect(await client.call('report', { levels: 300 }, options)).toBe('done')
  expect(told).toEqual([])
  expect(errors).toMatchObject([{ message: expect.stringContaining('Progress of "report"') }])
})

/** JSON under another name, so that its messages are not measured as they are made. */
const textCodec: Codec = {
  name: 'my-json',
  encode: (message) => JSON.stringify(message),
  decode: (frame) => JSON.parse(String(frame)),
}

describe.each<[string, ChannelOptions]>([
  ['JSON in text frames', {}],
  ['JSON in binary frames', { frameType: 'binary' }],
  ['text of another codec', { codec: textCodec }],
])('in %s', (_, format) => {
  test('both sides count alike, whatever the limit', async () => {
    const isJson = format.codec === undefined
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8, max: 400 }),
        fc.integer({ min: -3, max: 3 }),
        fc.boolean(),
        async (depth, more, hasBytes) => {
          const { client, channel, errors } = await connect(
            { limits: { depth }, ...format },
            format,
          )
          // The message and its params are two of the levels.
          const levels = depth - 2 + more
          const value = nest(levels, isJson && hasBytes ? new Uint8Array(2) : 1)
          const end = client.other.echo({ value })
          if (more > 0) expect(await rejection(end)).toMatchObject({ outcome: 'not-sent' })
          // The answer, which has one level less, is checked against the client's own limit.
          else if (levels + 1 <= 256) expect(await end).toEqual(value)
          else expect(await rejection(end)).toMatchObject({ code: -32603 })
          expect(channel.isConnected).toBe(true)
          expect(errors.filter((error) => !(error instanceof RpcValidationError))).toEqual([])
        },
      ),
      { seed: 1_000, numRuns: 25 },
    )
  })
})

test('a limit of more than others have is used', async () => {
  const { client } = await connect({ limits: { depth: 900 } })
  expect(await rejection(client.other.echo({ value: nest(800) }))).toMatchObject({ code: -32603 })
  expect(await rejection(client.other.echo({ value: nest(1_100) }))).toMatchObject({
    outcome: 'not-sent',
    message: expect.stringContaining('deeper than 1000'),
  })
})
