import { type ChannelOptions, type Codec, createClient } from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { pythonDialect } from '@flashrpc/core/python'
import { createEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** Every answer has a result or an error, whatever `toJSON` of the result gives. */

interface Server {
  give(params: { name: string }): unknown
}

const saying = (said: unknown) => ({ toJSON: () => said })

class NoDate extends Date {
  override toJSON(): string {
    return undefined as unknown as string
  }
}

/** What handlers return, and what arrives as JSON. */
const RESULTS: Readonly<Record<string, { give: () => unknown; arrives: unknown }>> = {
  nothing: { give: () => undefined, arrives: null },
  'what says that it is nothing': { give: () => saying(undefined), arrives: null },
  'what says that it is null': { give: () => saying(null), arrives: null },
  'what says that it is text': { give: () => saying('text'), arrives: 'text' },
  'what says that it is what says that it is nothing': {
    give: () => saying(saying(undefined)),
    arrives: {},
  },
  'an array of what says that it is nothing': { give: () => [saying(undefined)], arrives: [null] },
  'a member that says that it is nothing': {
    give: () => ({ a: saying(undefined), b: 1 }),
    arrives: { b: 1 },
  },
  'a date that says that it is nothing': { give: () => new NoDate(0), arrives: null },
  'no date': { give: () => new Date(Number.NaN), arrives: null },
}

/** Values that can't be a result. */
const REFUSED: Readonly<Record<string, () => unknown>> = {
  'a function': () => () => 1,
  'a symbol': () => Symbol('s'),
  'what says that it is a function': () => saying(() => 1),
  'what says that it is a symbol': () => saying(Symbol('s')),
}

const methods = {
  give: ({ name }: { name: string }) => (RESULTS[name]?.give ?? REFUSED[name])?.(),
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** JSON under another name. */
const ownCodec: Codec = {
  name: 'own',
  encode: (message) => JSON.stringify(message),
  decode: (frame) => JSON.parse(String(frame)),
}

async function serve(options: object = {}): Promise<string> {
  const endpoint = createEndpoint<Server>({ resume: {}, ...options, methods })
  opened.push(() => endpoint.close())
  return (await endpoint.listen()).url
}

function connect(url: string, options: ChannelOptions = {}) {
  const client = createClient<Server>({ url, timeout: 3_000, ...options })
  opened.push(() => client.close())
  return client
}

describe.each<[string, ChannelOptions]>([
  ['JSON in text frames', {}],
  ['JSON in binary frames', { frameType: 'binary' }],
  ['a codec of the application', { codec: ownCodec }],
])('in %s', (_, format) => {
  test.each(Object.entries(RESULTS))('%s arrives', async (name, { arrives }) => {
    const client = connect(await serve(format), format)
    expect(await client.other.give({ name })).toEqual(arrives)
  })

  test.each(Object.keys(REFUSED))('%s is refused', async (name) => {
    const client = connect(await serve(format), format)
    const given = client.other.give({ name })
    // With another codec, the reason why it left the result out can't be known.
    if (format.codec && name.includes('says')) expect(await given).toBe(null)
    else expect(await rejection(given)).toMatchObject({ code: -32603 })
    expect(client.state.status).toBe('connected')
  })
})

test('in MessagePack, what says what it is as JSON is not asked', async () => {
  const client = connect(await serve({ codec: msgpackCodec }), { codec: msgpackCodec })
  expect(await client.other.give({ name: 'nothing' })).toBe(null)
  expect(await client.other.give({ name: 'a date that says that it is nothing' })).toEqual(
    new Date(0),
  )
  for (const name of [...Object.keys(REFUSED), 'what says that it is nothing']) {
    expect(await rejection(client.other.give({ name })), name).toMatchObject({ code: -32603 })
  }
})

describe.each([
  ['text', (text: string) => text],
  ['binary', (text: string) => new TextEncoder().encode(text)],
] as const)('to a plain peer, in %s frames', (frameType, frame) => {
  test('each arrives, alone and in a batch', async () => {
    const peer = await rawClient(await serve({ frameType }))
    opened.push(() => peer[Symbol.asyncDispose]())
    const names = [...Object.keys(RESULTS), ...Object.keys(REFUSED)]
    const calls = names.map((name, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'give',
      params: { name },
    }))
    const answers: { id: number }[] = []
    for (const call of calls) {
      peer.send(frame(JSON.stringify(call)))
      answers.push(await peer.nextJson())
    }
    for (const [id, name] of names.entries()) {
      expect(answers[id], name).toEqual({
        jsonrpc: '2.0',
        id,
        ...(name in RESULTS
          ? { result: RESULTS[name]?.arrives }
          : { error: expect.objectContaining({ code: -32603 }) }),
      })
    }
    peer.send(frame(JSON.stringify(calls)))
    expect(await peer.nextJson()).toEqual(answers)
  })
})

test('to a Python peer, each arrives', async () => {
  const peer = await rawClient(await serve({ dialect: pythonDialect() }))
  opened.push(() => peer[Symbol.asyncDispose]())
  for (const [name, { arrives }] of Object.entries(RESULTS)) {
    const request = { method: 'give', arguments: { name }, call_id: name }
    peer.send({ request, response: null })
    expect((await peer.nextJson()).response, name).toMatchObject({ call_id: name, result: arrives })
  }
})

test('by its key, each is answered again as it was', async () => {
  const url = await serve({ idempotency: { store: memoryResultStore() } })
  const client = connect(url)
  for (const [name, { arrives }] of Object.entries(RESULTS)) {
    for (let time = 0; time < 2; time++) {
      const answer = client.call('give', { name }, { idempotencyKey: name })
      expect(await answer, name).toEqual(arrives)
    }
  }
})

test('params that say that they are none are not sent', async () => {
  const client = connect(await serve())
  for (const said of [undefined, 'text', 1]) {
    const params = saying(said) as unknown as { name: string }
    expect(await rejection(client.other.give(params))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('toJSON of params'),
    })
  }
})
