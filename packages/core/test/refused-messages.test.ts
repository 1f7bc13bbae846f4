import { createClient, RpcDisconnectedError, RpcProtocolError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { HOSTILE, nested } from './support/hostile-messages.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { type RawMessage, SessionPeer } from './support/session-peer.js'

/**
 * Messages that share a frame are judged one by one (docs/protocol.md, "Shared frames"). Here, peers written by hand
 * send messages that are refused, among others.
 *
 * A failure is shrunk, and printed with its seed: FLASHRPC_PROPERTY_SEED replays it, and FLASHRPC_PROPERTY_RUNS sets
 * the number of runs.
 */
const { FLASHRPC_PROPERTY_SEED, FLASHRPC_PROPERTY_RUNS } = process.env
const RUNS = {
  numRuns: Number(FLASHRPC_PROPERTY_RUNS ?? 40),
  seed: Number(FLASHRPC_PROPERTY_SEED ?? 1_000),
}

interface Methods {
  run(params: { n: number }): number
  ticks(): AsyncIterable<unknown>
  report(): string
}

const opened: (() => unknown)[] = []

async function closeAll(): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

afterEach(closeAll)

/** Runs a call and remembers it. */
const runInto =
  (ran: number[]) =>
  ({ n }: { n: number }) => {
    ran.push(n)
    return n
  }

const limits = { msg: 1024 * 1024, batch: 100, buf: 1024 * 1024 }

/** A server that keeps sessions, and what it has run. */
async function serve(options: object = {}) {
  const ran: number[] = []
  const errors: unknown[] = []
  const endpoint = createEndpoint<Pick<Methods, 'run'>, { ask(): void }>({
    resume: {},
    onError: [(_, error) => errors.push(error)],
    ...options,
    methods: { run: runInto(ran) },
  })
  opened.push(() => endpoint.close())
  return { endpoint, url: (await endpoint.listen()).url, ran, errors }
}

let attempts = 0

/** Says hello as a client does. @returns the answer. */
async function greet(peer: RawPeer, params: object = {}) {
  const said = { v: 1, attempt: ++attempts, codec: 'json', bytes: true, limits, ...params }
  peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params: said })
  return (await peer.nextJson()).result
}

/** Answers the hello of a client, as a server that keeps sessions does. @returns its params. */
async function welcome(peer: RawPeer, recv: number) {
  const { id, params } = await peer.nextJson()
  const resumed = params.resume !== undefined
  const result = { v: 1, sid: 's', token: 't', resumed, recv, spreadMs: 0, windowMs: 30_000 }
  peer.send({ jsonrpc: '2.0', id, result: { ...result, codec: 'json', bytes: true, limits } })
  return params
}

const call = (id: number): RawMessage => ({
  text: `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"n":${id}}}`,
})

/** The messages of one frame, and whether the connection is cut after it. */
const frame = fc.record({
  members: fc.array(fc.constantFrom('a call', ...Object.keys(HOSTILE)), {
    minLength: 1,
    maxLength: 6,
  }),
  isCut: fc.boolean(),
})

/** The frames to send, and the answers that are owed: by id, a result or the code of an error. */
function messagesOf(frames: readonly { members: readonly string[]; isCut: boolean }[]) {
  const owed = new Map<number, number | undefined>()
  let id = 0
  const all = frames.map(({ members, isCut }) => ({
    isCut,
    messages: members.map((name) => {
      id++
      const hostile = HOSTILE[name]?.(id)
      if (!hostile) owed.set(id, undefined)
      else if (hostile.code !== undefined) owed.set(id, hostile.code)
      return hostile ?? call(id)
    }),
  }))
  return { all, owed }
}

/** The codes of errors, by the ids of what they answer; undefined for a result. */
function codesOf(answers: readonly { id: number; error?: { code: number } }[]) {
  return new Map(answers.map(({ id, error }) => [id, error?.code]))
}

/**
 * Compares the answers with those that were owed: one answer for each call, and the calls that ran, once and in order.
 */
async function verify(
  peer: SessionPeer,
  owed: ReadonlyMap<number, number | undefined>,
  ran: readonly number[],
): Promise<void> {
  const answers = () => peer.came.filter(({ id }) => id !== null && id !== undefined)
  await polled(() => answers().length).toBe(owed.size)
  expect(codesOf(answers())).toEqual(new Map(owed))
  const good = [...owed].filter(([, code]) => code === undefined).map(([id]) => id)
  expect(ran).toEqual(good)
}

describe('among others in a session, over cuts', () => {
  test('a server refuses each message alone, and counts all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
        const { url, ran } = await serve()
        const session = new SessionPeer()
        const { all, owed } = messagesOf(frames)
        const first = await rawClient(url)
        const { sid, token } = await greet(first)
        session.attach(first, 0)
        const resume = async () => {
          const peer = await rawClient(url)
          opened.push(() => peer[Symbol.asyncDispose]())
          const result = await greet(peer, { resume: { sid, token, recv: session.recv } })
          expect(result).toMatchObject({ resumed: true })
          session.attach(peer, result.recv)
        }
        for (const { messages, isCut } of all) {
          session.send(messages)
          if (!isCut) continue
          session.cut()
          await resume()
        }
        await verify(session, owed, ran)
        // Both sides have counted the same number of messages.
        session.cut()
        const last = await rawClient(url)
        opened.push(() => last[Symbol.asyncDispose]())
        const { recv } = await greet(last, { resume: { sid, token, recv: session.recv } })
        expect(recv).toBe(session.sent)
        await closeAll()
      }),
      RUNS,
    )
  })

  test('a client refuses each message alone, and counts all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
        const server = await RawServer.listen()
        opened.push(() => server[Symbol.asyncDispose]())
        const ran: number[] = []
        const client = createClient<object, Pick<Methods, 'run'>>({
          url: server.url,
          retry: { minDelayMs: 1, maxDelayMs: 5 },
          methods: { run: runInto(ran) },
        })
        opened.push(() => client.close())
        const connected = client.connect()
        const session = new SessionPeer()
        const { all, owed } = messagesOf(frames)
        const accept = async () => {
          const peer = await server.accept()
          const { resume } = await welcome(peer, session.recv)
          session.attach(peer, resume?.recv ?? 0)
          return resume?.recv
        }
        await accept()
        await connected
        for (const { messages, isCut } of all) {
          session.send(messages)
          if (!isCut) continue
          session.cut()
          await accept()
        }
        await verify(session, owed, ran)
        session.cut()
        expect(await accept()).toBe(session.sent)
        await closeAll()
      }),
      RUNS,
    )
  })
})

describe('a plain peer', () => {
  test('has each message of its batch answered for itself', async () => {
    const { url, ran } = await serve()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const owed = Object.entries(HOSTILE).filter(([, of]) => !of(0).bytes)
    const texts = owed.map(([, of], at) => of(at + 1).text)
    peer.send(`[${call(100).text},${texts.join()},${call(101).text}]`)
    const answers = await peer.nextJson()
    const codes = codesOf(answers)
    expect(codes.get(100)).toBe(undefined)
    expect(codes.get(101)).toBe(undefined)
    for (const [at, [name, of]] of owed.entries()) {
      expect(codes.get(at + 1), name).toBe(of(0).code)
    }
    expect(ran).toEqual([100, 101])
  })
})

describe('what nests too deep', () => {
  const deep = nested(300)

  test('is an answer: its call fails, and no other', async () => {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    for (const accept of ['acceptPlain', 'acceptExtended'] as const) {
      const client = createClient<Methods>({ url: server.url })
      opened.push(() => client.close())
      const peer = await server[accept]()
      await client.connect()
      const calls = [1, 2, 3].map((n) => client.other.run({ n }))
      const failed = rejection(calls[1] as Promise<unknown>)
      const answer = (id: number, result: string) =>
        `{"jsonrpc":"2.0","id":${id},"result":${result}}`
      peer.send(`[${answer(1, '1')},${answer(2, deep)},${answer(3, '3')}]`)
      expect(await calls[0]).toBe(1)
      expect(await calls[2]).toBe(3)
      const error = await failed
      expect(error).toBeInstanceOf(RpcProtocolError)
      expect(error).toMatchObject({
        method: 'run',
        message: expect.stringContaining('deeper than 256'),
      })
    }
  })

  test.each([
    ['arrays', '[', '', ']'],
    ['objects', '{"a":', 'null', '}'],
  ])(
    'is found by its levels of %s, and not by all brackets of its frame',
    async (_, open, bottom, close) => {
      const server = await RawServer.listen()
      opened.push(() => server[Symbol.asyncDispose]())
      const client = createClient<{ get(): unknown }>({ url: server.url })
      opened.push(() => client.close())
      const peer = await server.acceptExtended()
      await client.connect()
      const levels = (count: number) => open.repeat(count) + bottom + close.repeat(count)
      // The message is one of the 256 levels.
      const results = [
        levels(255),
        levels(256),
        JSON.stringify(open.repeat(600)),
        `[${Array.from({ length: 600 }, () => levels(1)).join()}]`,
      ]
      const calls = results.map(() => client.other.get())
      const failed = rejection(calls[1] as Promise<unknown>)
      const answers = results.map(
        (result, at) => `{"jsonrpc":"2.0","id":${at + 1},"result":${result}}`,
      )
      peer.send(`[${answers.join()}]`)
      for (const at of [0, 2, 3]) expect(await calls[at]).toEqual(JSON.parse(results[at] as string))
      expect(await failed).toMatchObject({ message: expect.stringContaining('deeper than 256') })
    },
  )

  test('is an item: its stream ends behind those before it, and is cancelled', async () => {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = createClient<Methods>({ url: server.url })
    opened.push(() => client.close())
    const peer = await server.acceptExtended()
    await client.connect()
    const stream = client.stream('ticks')
    const first = stream.next()
    await peer.next()
    const item = (value: string) =>
      `{"jsonrpc":"2.0","method":"rpc.item","params":{"id":1,"value":${value}}}`
    peer.send(`[${item('"a"')},${item(deep)},${item('"c"')}]`)
    expect(await first).toEqual({ value: 'a', done: false })
    const error = await rejection(stream.next())
    expect(error).toBeInstanceOf(RpcProtocolError)
    expect(error).toMatchObject({ message: expect.stringContaining('An item of "ticks"') })
    expect(await peer.nextJson()).toMatchObject({ method: 'rpc.cancel', params: { id: 1 } })
    expect(client.state.status).toBe('connected')
  })

  test('is an item of input: it fails where it is read', async () => {
    const read: unknown[] = []
    const endpoint = createEndpoint<{ sum(): number }>({
      methods: {
        sum: async (_, { input }) => {
          for await (const item of input as AsyncIterable<unknown>) read.push(item)
          return 0
        },
      },
    })
    opened.push(() => endpoint.close())
    const peer = await rawClient((await endpoint.listen()).url)
    opened.push(() => peer[Symbol.asyncDispose]())
    await greet(peer, { limits: { msg: 10_000 } })
    peer.send({ jsonrpc: '2.0', id: 1, method: 'sum', rpc: { input: true } })
    expect(await peer.nextJson()).toMatchObject({ method: 'rpc.input.credit' })
    const item = (value: string) =>
      `{"jsonrpc":"2.0","method":"rpc.input","params":{"id":1,"value":${value}}}`
    peer.send(`[${item('"a"')},${item(deep)},${item('"c"')}]`)
    expect(await peer.nextJson()).toMatchObject({ method: 'rpc.input.credit' })
    expect(await peer.nextJson()).toMatchObject({
      id: 1,
      error: { code: -32600, message: expect.stringContaining('deeper than 256') },
    })
    expect(read).toEqual(['a'])
  })

  test('is progress: it is not told, and onError is', async () => {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const errors: unknown[] = []
    const client = createClient<Methods>({
      url: server.url,
      onError: [(_, error) => errors.push(error)],
    })
    opened.push(() => client.close())
    const peer = await server.acceptExtended()
    await client.connect()
    const told: unknown[] = []
    const done = client.call('report', undefined, {
      onProgress: (value: unknown) => void told.push(value),
    })
    await peer.next()
    const progress = (value: string) =>
      `{"jsonrpc":"2.0","method":"rpc.progress","params":{"id":1,"value":${value}}}`
    peer.send(`[${progress(deep)},${progress('1')},{"jsonrpc":"2.0","id":1,"result":"done"}]`)
    expect(await done).toBe('done')
    expect(told).toEqual([1])
    expect(errors).toMatchObject([{ message: expect.stringContaining('Progress of "report"') }])
  })
})

describe('a frame of a session that is no JSON', () => {
  test('ends it, and the calls in it may have run, by a server', async () => {
    const { endpoint, url, ran, errors } = await serve()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    await greet(peer)
    const [channel] = endpoint.channels
    const asked = rejection(channel?.call('ask') as Promise<unknown>)
    await peer.next()
    peer.send(`[${call(1).text},${call(2).text}`)
    expect(await peer.closed).toMatchObject({
      code: 4400,
      reason: expect.stringContaining('is not JSON'),
    })
    expect(await asked).toMatchObject({ outcome: 'maybe-executed' })
    expect(errors[0]).toBeInstanceOf(RpcProtocolError)
    expect(ran).toEqual([])
  })

  test('ends it, and the calls in it may have run, by a client', async () => {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = createClient<Methods>({ url: server.url })
    opened.push(() => client.close())
    const connected = client.connect()
    const peer = await server.accept()
    await welcome(peer, 0)
    await connected
    const sent = rejection(client.other.run({ n: 1 }))
    await peer.next()
    peer.send('[{"jsonrpc":"2.0","id":1,"result":1},')
    expect((await peer.closed).code).toBe(4400)
    const error = await sent
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed', closeCode: 4400 })
    expect(await rejection(client.other.run({ n: 2 }))).toMatchObject({ outcome: 'not-sent' })
  })

  test('without a session is answered, as no other messages are counted', async () => {
    const { url, ran } = await serve({ resume: undefined })
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    await greet(peer)
    peer.send('{nonsense')
    expect(await peer.nextJson()).toMatchObject({ id: null, error: { code: -32700 } })
    peer.send(call(1).text)
    expect(await peer.nextJson()).toMatchObject({ id: 1, result: 1 })
    expect(ran).toEqual([1])
  })
})

test('a frame of more messages than were agreed on ends the connection', async () => {
  for (const resume of [undefined, {}]) {
    const { url, ran } = await serve({ limits: { batch: 3 }, resume })
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    await greet(peer)
    peer.send(`[${[1, 2, 3, 4].map((id) => call(id).text).join()}]`)
    expect(await peer.closed).toMatchObject({
      code: 4400,
      reason: expect.stringContaining('4 messages'),
    })
    expect(ran).toEqual([])
  }
})
