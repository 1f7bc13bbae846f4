import {
  type Contract,
  createChannel,
  createClient,
  defineContract,
  memoryTransportPair,
  method,
  notification,
  RpcError,
  RpcOverloadedError,
  type Schema,
  stream,
  utilityDefinitions,
} from '@flashrpc/core'
import { createDiscovery, type OpenRpcDocument } from '@flashrpc/core/discovery'
import {
  createEndpoint,
  type EndpointOptions,
  type UtilityMethods,
  utilityMethods,
} from '@flashrpc/core/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contract as demo } from '../../../apps/demo/src/contract.js'
import { complaints, fits } from './support/open-rpc-schema.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Discoverable {
  'rpc.discover'(): OpenRpcDocument
}

/** What the server side of a contract says of itself, over a channel in memory. */
async function discover(
  contract: Contract,
  discovery = createDiscovery(),
): Promise<OpenRpcDocument> {
  const [left, right] = memoryTransportPair()
  const transport = left
  await using _ = createChannel(contract, { side: 'server', transport, discover: discovery })
  await using asker = createChannel<Record<never, never>, Discoverable>({
    side: 'client',
    transport: right,
  })
  return await asker.call('rpc.discover')
}

/** What of the document is about one method with these params. */
async function describeParams(params: Schema) {
  const document = await discover(defineContract({ server: { it: method({ params }) } }))
  expect(complaints(document)).toEqual([])
  const [{ name: _, result: __, ...said } = expect.fail('no method')] = document.methods
  return { document, said }
}

afterEach(() => {
  vi.unstubAllEnvs()
})

const small = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    greet: method({ params: z.object({ name: z.string(), times: z.number().default(1) }) }),
    bark: notification({ params: z.object({ loud: z.boolean().optional() }) }),
    nothing: method({ result: z.null() }),
  },
  client: { confirm: method({ result: z.enum(['yes', 'no']) }) },
})

describe('the document', () => {
  test('says of each method its params by name, and what it answers', async () => {
    const { components, ...document } = await discover(small)
    expect(document).toEqual({
      openrpc: '1.3.2',
      info: { title: 'flashrpc server', version: '0.0.0' },
      methods: [
        {
          name: 'add',
          paramStructure: 'by-name',
          params: [
            { name: 'a', required: true, schema: { type: 'number' } },
            { name: 'b', required: true, schema: { type: 'number' } },
          ],
          result: { name: 'result', schema: { type: 'number' } },
        },
        {
          name: 'greet',
          paramStructure: 'by-name',
          params: [
            { name: 'name', required: true, schema: { type: 'string' } },
            // What a caller may leave out is not required, whatever the handler gets.
            { name: 'times', required: false, schema: { type: 'number', default: 1 } },
          ],
          result: { name: 'result', schema: true },
        },
        {
          name: 'bark',
          paramStructure: 'by-name',
          params: [{ name: 'loud', required: false, schema: { type: 'boolean' } }],
        },
        {
          name: 'nothing',
          paramStructure: 'by-name',
          params: [],
          result: { name: 'result', schema: { type: 'null' } },
        },
      ],
    })
    expect(components.errors.invalidParams).toEqual({
      code: -32602,
      message: 'The params break the schema: data.issues says where',
    })
  })

  test.each([
    ['a small contract', small],
    ["the demo's contract", demo],
    ['the utility methods', defineContract({ server: utilityDefinitions })],
    ['an empty contract', defineContract({})],
  ])('of %s is one of OpenRPC', async (_, contract) => {
    const document = await discover(contract)
    expect(complaints(document)).toEqual([])
    expect(document.methods.map(({ name }) => name)).toEqual(Object.keys(contract.server))
  })

  test('is held against what complains of others', async () => {
    const document = await discover(small)
    const [first = expect.fail(), ...others] = document.methods
    const unschemed = { ...first, params: [{ name: 'a' }] }
    expect(complaints({ ...document, methods: [unschemed, ...others] })).not.toEqual([])
    const mistyped = { ...first, result: { name: 'result', schema: { type: 'text' } } }
    expect(complaints({ ...document, methods: [mistyped, ...others] })).not.toEqual([])
  })

  test('says who serves', async () => {
    const info = { title: 'Sums', version: '2.1.0', description: 'Adds.' }
    const document = await discover(small, createDiscovery(info))
    expect(document.info).toEqual(info)
    expect(complaints(document)).toEqual([])
  })

  test('is what a client can be called for, where a client is asked', async () => {
    const [left, right] = memoryTransportPair()
    const discovery = createDiscovery()
    await using _ = createChannel(small, { side: 'client', transport: left, discover: discovery })
    await using server = createChannel<Record<never, never>, Discoverable>({
      side: 'server',
      transport: right,
    })
    const document = await server.call('rpc.discover')
    expect(document.info.title).toBe('flashrpc client')
    expect(document.methods.map(({ name }) => name)).toEqual(['confirm'])
  })

  test('says what a stream yields and takes, and what is told as progress', async () => {
    const server = {
      ticks: stream({ params: z.object({ everyMs: z.number() }), item: z.number() }),
      anything: stream(),
      upload: method({ input: z.string(), result: z.null() }),
      report: { ...method(), progress: z.object({ done: z.number() }) },
    }
    const document = await discover(defineContract({ server }))
    expect(complaints(document)).toEqual([])
    const result = { name: 'result', schema: { type: 'null' } }
    const [ticks, anything, upload, report] = document.methods
    expect(ticks).toMatchObject({ result, 'x-flashrpc-item': { type: 'number' } })
    expect(ticks?.params).toHaveLength(1)
    expect(anything).toMatchObject({ params: [], result, 'x-flashrpc-item': true })
    expect(upload).toMatchObject({ result, 'x-flashrpc-input': { type: 'string' } })
    expect(report).toMatchObject({ 'x-flashrpc-progress': { required: ['done'] } })
  })
})

describe('schemas', () => {
  interface Tree {
    value: number
    children: Tree[]
  }
  const Tree: z.ZodType<Tree> = z.lazy(() =>
    z.object({ value: z.number(), children: z.array(Tree) }),
  )
  const Person = z.object({ name: z.string() }).meta({ id: 'Person' })

  /** All that zod has, with a value that fits and one that does not, where JSON has such. */
  const kinds: Record<string, { schema: z.ZodType; good?: unknown; bad?: unknown }> = {
    string: { schema: z.string(), good: 'a', bad: 1 },
    number: { schema: z.number(), good: 1.5, bad: '1' },
    int: { schema: z.int(), good: 1, bad: 1.5 },
    boolean: { schema: z.boolean(), good: true, bad: 1 },
    null: { schema: z.null(), good: null, bad: 0 },
    any: { schema: z.any(), good: 1 },
    unknown: { schema: z.unknown(), good: {} },
    never: { schema: z.never(), bad: 1 },
    literal: { schema: z.literal(['a', 1, null]), good: 'a', bad: 'b' },
    enum: { schema: z.enum(['yes', 'no']), good: 'yes', bad: 'maybe' },
    array: { schema: z.array(z.string()), good: ['a'], bad: [1] },
    tuple: { schema: z.tuple([z.string(), z.number()]), good: ['a', 1], bad: [1, 'a'] },
    object: { schema: z.object({ a: z.number() }), good: { a: 1 }, bad: {} },
    strictObject: {
      schema: z.strictObject({ a: z.number() }),
      good: { a: 1 },
      bad: { a: 1, b: 1 },
    },
    looseObject: { schema: z.looseObject({ a: z.number() }), good: { a: 1, b: 1 }, bad: { b: 1 } },
    record: { schema: z.record(z.string(), z.number()), good: { a: 1 }, bad: { a: 'a' } },
    partialRecord: { schema: z.partialRecord(z.enum(['a']), z.number()), good: {}, bad: { b: 1 } },
    union: { schema: z.union([z.string(), z.number()]), good: 1, bad: true },
    discriminatedUnion: {
      schema: z.discriminatedUnion('k', [
        z.object({ k: z.literal('a'), x: z.number() }),
        z.object({ k: z.literal('b') }),
      ]),
      good: { k: 'a', x: 1 },
      bad: { k: 'a' },
    },
    intersection: {
      schema: z.intersection(z.object({ a: z.number() }), z.object({ b: z.number() })),
      good: { a: 1, b: 2 },
      bad: { a: 1 },
    },
    nullable: { schema: z.string().nullable(), good: null, bad: 1 },
    optional: { schema: z.string().optional(), good: 'a', bad: 1 },
    default: { schema: z.string().default('a'), good: 'b', bad: 1 },
    prefault: { schema: z.string().prefault('a'), good: 'b', bad: 1 },
    caught: { schema: z.string().catch('a'), good: 'b' },
    readonly: { schema: z.array(z.string()).readonly(), good: ['a'], bad: 'a' },
    branded: { schema: z.string().brand('Id'), good: 'a', bad: 1 },
    lazy: { schema: Tree, good: { value: 1, children: [] }, bad: { value: 1, children: [1] } },
    json: { schema: z.json(), good: { a: [1, null] } },
    regex: { schema: z.string().regex(/^a+$/), good: 'aa', bad: 'b' },
    email: { schema: z.email(), good: 'a@b.example' },
    url: { schema: z.url(), good: 'https://a.example' },
    uuid: { schema: z.uuid(), bad: 'a' },
    isoDateTime: { schema: z.iso.datetime(), good: '2026-01-01T00:00:00Z' },
    templateLiteral: { schema: z.templateLiteral(['v', z.number()]), good: 'v1', bad: '1' },
    coerced: { schema: z.coerce.number() },
    stringbool: { schema: z.stringbool(), good: 'yes', bad: 1 },
    transform: { schema: z.string().transform(Number), good: '1', bad: 1 },
    pipe: { schema: z.string().pipe(z.transform(Number)), good: '1', bad: 1 },
    preprocess: { schema: z.preprocess((value) => value, z.number()) },
    refined: { schema: z.number().refine((n) => n % 2 === 0), good: 2, bad: 'a' },
    codec: {
      schema: z.codec(z.iso.datetime(), z.date(), {
        decode: (text) => new Date(text),
        encode: (date) => date.toISOString(),
      }),
      good: '2026-01-01T00:00:00Z',
      bad: 1,
    },
    named: { schema: Person, good: { name: 'a' }, bad: {} },
    promise: { schema: z.promise(z.string()) },
    file: { schema: z.file() },
    date: { schema: z.date() },
    bigint: { schema: z.bigint() },
    void: { schema: z.void() },
    undefined: { schema: z.undefined() },
    symbol: { schema: z.symbol() },
    nan: { schema: z.nan() },
    map: { schema: z.map(z.string(), z.number()) },
    set: { schema: z.set(z.string()) },
    instance: { schema: z.instanceof(Uint8Array) },
    custom: { schema: z.custom<string>((value) => value === 'a') },
    function: { schema: z.any().refine((value) => typeof value === 'function') },
  }

  const everything = defineContract({
    server: Object.fromEntries(
      Object.entries(kinds).map(([name, { schema }]) => [
        name,
        method({ params: z.object({ it: schema, list: z.array(schema) }), result: schema }),
      ]),
    ),
  })

  test('of every kind make a document of OpenRPC', async () => {
    const document = await discover(everything)
    expect(complaints(document)).toEqual([])
    expect(document.methods).toHaveLength(Object.keys(kinds).length)
  })

  test.each(Object.entries(kinds))('%s says what travels', async (name, { good, bad }) => {
    const document = await discover(everything)
    const index = document.methods.findIndex((described) => described.name === name)
    for (const place of ['result', 'params/0']) {
      const at = `/methods/${index}/${place}/schema`
      if (good !== undefined) expect(fits(document, at, good), at).toBe(true)
      if (bad !== undefined) expect(fits(document, at, bad), at).toBe(false)
    }
  })

  test('that refer to themselves are components, under which all references lead somewhere', async () => {
    const { document, said } = await describeParams(z.object({ root: Tree, owner: Person }))
    expect(said.params).toEqual([
      { name: 'root', required: true, schema: { $ref: expect.stringMatching(/^#\/components\//) } },
      {
        name: 'owner',
        required: true,
        schema: { $ref: expect.stringMatching(/^#\/components\//) },
      },
    ])
    const tree = { value: 1, children: [{ value: 2, children: [] }] }
    expect(fits(document, '/methods/0/params/0/schema', tree)).toBe(true)
    const wrong = { value: 1, children: [{ value: '2', children: [] }] }
    expect(fits(document, '/methods/0/params/0/schema', wrong)).toBe(false)
    expect(fits(document, '/methods/0/params/1/schema', { name: 'Ada' })).toBe(true)
  })

  test('of two methods whose names differ in signs alone keep apart', async () => {
    const server = {
      'tree/a': method({ result: Tree }),
      'tree a': method({ result: z.object({ other: Tree }) }),
    }
    const document = await discover(defineContract({ server }))
    expect(complaints(document)).toEqual([])
    expect(Object.keys(document.components.schemas ?? {})).toHaveLength(2)
    expect(fits(document, '/methods/0/result/schema', { value: 1, children: [] })).toBe(true)
    expect(fits(document, '/methods/1/result/schema', { value: 1, children: [] })).toBe(false)
  })

  test('with what looks like a reference among their data keep it', async () => {
    const data = { $ref: '#/nowhere' }
    const properties = { $ref: z.string().default('#/x'), enum: z.any().default(data) }
    const { said } = await describeParams(z.object(properties))
    expect(said.params).toEqual([
      { name: '$ref', required: false, schema: { type: 'string', default: '#/x' } },
      { name: 'enum', required: false, schema: { default: data } },
    ])
  })

  test('with parts that no JSON Schema says, say all else', async () => {
    const { said } = await describeParams(z.object({ at: z.date(), size: z.number() }))
    expect(said.params).toEqual([
      { name: 'at', required: true, schema: {} },
      { name: 'size', required: true, schema: { type: 'number' } },
    ])
    expect(said['x-flashrpc-params']).toMatchObject({
      $comment: expect.stringContaining('no JSON Schema'),
    })
  })

  test('that say nothing of themselves, or fail, take anything, with a note', async () => {
    const silent = {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => ({ value }),
    } as const
    const fail = () => {
      throw new Error('secret')
    }
    const failing = { ...silent, jsonSchema: { input: fail, output: fail } }
    const wrong = { ...silent, jsonSchema: { input: () => undefined, output: () => undefined } }
    for (const standard of [silent, failing, wrong as never]) {
      const { said } = await describeParams({ '~standard': standard })
      expect(said.params).toEqual([])
      expect(said['x-flashrpc-params']).toEqual({
        $comment: 'No JSON Schema says this; the schema of the contract does',
      })
    }
  })

  test('of params that may be left out altogether have no member that is required', async () => {
    const left = { a: z.number(), b: z.string().optional() }
    for (const params of [z.object(left).optional(), z.object(left).default({ a: 1 })]) {
      const { document, said } = await describeParams(params)
      expect(said.params).toMatchObject([
        { name: 'a', required: false },
        { name: 'b', required: false },
      ])
      // The schema of the params, for when they are present.
      expect(said['x-flashrpc-params']).toMatchObject({ required: ['a'] })
      expect(fits(document, '/methods/0/x-flashrpc-params', { a: 1 })).toBe(true)
      expect(fits(document, '/methods/0/x-flashrpc-params', { b: '1' })).toBe(false)
    }
    const tuple = await describeParams(z.tuple([z.number(), z.string()]).optional())
    expect(tuple.said.params).toMatchObject([{ required: false }, { required: false }])
    expect(tuple.said['x-flashrpc-params']).toMatchObject({ minItems: 2 })
    // No member is required, so the descriptors say everything.
    const none = await describeParams(z.object({ b: z.string().optional() }).optional())
    expect(none.said).not.toHaveProperty('x-flashrpc-params')
    // If the schema answers later, or fails, its JSON Schema counts.
    for (const validate of [
      () => Promise.reject(new Error('down')),
      () => Promise.resolve({ value: 1 }),
      () => {
        throw new Error('down')
      },
    ]) {
      const { '~standard': standard } = z.object(left)
      const params = { '~standard': { ...standard, validate } }
      const { said } = await describeParams(params as never)
      expect(said.params[0]).toMatchObject({ name: 'a', required: true })
      expect(said).not.toHaveProperty('x-flashrpc-params')
    }
  })

  test('of params that are no object are told as a whole, and tuples by position', async () => {
    const union = z.union([z.object({ a: z.number() }), z.object({ b: z.number() })])
    const { said } = await describeParams(union)
    expect(said).toMatchObject({ paramStructure: 'by-name', params: [] })
    expect(said['x-flashrpc-params']).toHaveProperty('anyOf')

    const tuple = await describeParams(z.tuple([z.number(), z.string().optional()]))
    expect(tuple.said).toMatchObject({
      paramStructure: 'by-position',
      params: [
        { name: '0', required: true, schema: { type: 'number' } },
        { name: '1', required: false, schema: { type: 'string' } },
      ],
    })
    const strict = await describeParams(z.strictObject({ a: z.number() }))
    expect(strict.said['x-flashrpc-params']).toMatchObject({ additionalProperties: false })
    const unnamed = await describeParams(z.object({ '': z.number(), a: z.number() }))
    expect(unnamed.said.params).toHaveLength(1)
    expect(unnamed.said).toHaveProperty('x-flashrpc-params')
  })
})

describe('an endpoint', () => {
  const methods = { add: () => 15, greet: () => 'hi', bark: () => {}, nothing: () => null }
  type Options = Partial<EndpointOptions<typeof small.server, typeof small.client>>

  async function ask(options: Options = {}): Promise<OpenRpcDocument> {
    await using endpoint = createEndpoint(small, { methods, discover: true, ...options })
    const { url } = await endpoint.listen()
    await using client = createClient<Discoverable>({ url })
    return await client.call('rpc.discover')
  }

  test('tells plain JSON-RPC peers, too', async () => {
    await using endpoint = createEndpoint(small, { methods, discover: true })
    await using peer = await rawClient((await endpoint.listen()).url)
    peer.send({ jsonrpc: '2.0', id: 'a', method: 'rpc.discover' })
    const { id, result } = await peer.nextJson()
    expect(id).toBe('a')
    expect(complaints(result)).toEqual([])
    expect(result.methods).toHaveLength(4)
  })

  test.each(['production', 'development', undefined])(
    'tells nothing unless it is asked to, with NODE_ENV %s',
    async (environment) => {
      vi.stubEnv('NODE_ENV', environment)
      for (const discover of [undefined, false]) {
        expect(await rejection(ask({ discover: discover as never }))).toMatchObject({
          code: -32601,
          message: expect.stringContaining('option discover'),
        })
      }
      expect((await ask({ discover: true })).methods).toHaveLength(4)
    },
  )

  test('says of itself what it is told to', async () => {
    const { info } = await ask({ discover: { title: 'Sums' } })
    expect(info).toEqual({ title: 'Sums', version: '0.0.0' })
    const made = createDiscovery({ title: 'Made before' })
    expect((await ask({ discover: made })).info.title).toBe('Made before')
  })

  test('converts its schemas once, and tells each caller of what it may call', async () => {
    let conversions = 0
    const standard = {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: () => ({ $comment: String(++conversions) }), output: () => ({}) },
    } as const
    const result = { '~standard': standard }
    const contract = defineContract({
      server: { all: method({ result }), admin: method({ result }) },
    })
    await using endpoint = createEndpoint(contract, {
      discover: true,
      authenticate: ({ headers }) => headers['x-user'],
      authorize: (name, { identity }) => name === 'all' || identity === 'admin',
      methods: { all: () => null, admin: () => null },
    })
    const { url } = await endpoint.listen()
    const toldTo = async (user: string) => {
      await using client = createClient<Discoverable>({ url, headers: { 'x-user': user } })
      return (await client.call('rpc.discover')).methods.map(({ name }) => name)
    }
    expect(await toldTo('guest')).toEqual(['all'])
    expect(await toldTo('admin')).toEqual(['all', 'admin'])
    expect(await toldTo('guest')).toEqual(['all'])
    expect(conversions).toBe(2)
  })

  test('asks authorize no more often than a caller may ask, and harms no other call or caller', async () => {
    let asked = 0
    const authorize = (name: string) => {
      if (name === 'nothing') asked++
      return true
    }
    await using endpoint = createEndpoint(small, { methods, authorize, discover: true })
    const { url } = await endpoint.listen()
    await using eager = createClient<Discoverable & { add(params: object): number }>({ url })
    await using other = createClient<Discoverable>({ url })
    const all = await Promise.allSettled(
      Array.from({ length: 200 }, () => eager.call('rpc.discover')),
    )
    const refused = all.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    // While the calls are answered, enough time may pass for one more.
    expect(asked).toBeGreaterThanOrEqual(20)
    expect(asked).toBeLessThan(30)
    expect(refused).toHaveLength(200 - asked)
    for (const error of refused) {
      expect(error).toBeInstanceOf(RpcOverloadedError)
      expect(error).toMatchObject({
        outcome: 'not-received',
        message: expect.stringContaining('may ask 20 times at once'),
      })
    }
    expect(await eager.call('add', { a: 5, b: 10 })).toBe(15)
    expect((await other.call('rpc.discover')).methods).toHaveLength(4)
    await vi.waitFor(() => eager.call('rpc.discover'), { timeout: 5_000, interval: 200 })
  })

  test('refuses an option that is none', () => {
    for (const discover of ['yes', null, 1, []]) {
      const options = { methods, discover: discover as never }
      expect(() => createEndpoint(small, options)).toThrow(/discover must be/)
    }
    const [transport] = memoryTransportPair()
    const channel = { side: 'server', transport, discover: true as never } as const
    expect(() => createChannel(small, channel)).toThrow(/createDiscovery\(\)/)
  })

  test('lists what its caller may call, and asks about that by name', async () => {
    const asked: string[] = []
    const authorize = (method: string, context: { method: string }) => {
      asked.push(`${method}=${context.method}`)
      if (method === 'greet') throw new RpcError(4003, 'Not you')
      return method !== 'nothing'
    }
    const { methods: told } = await ask({ authorize })
    expect(told.map(({ name }) => name)).toEqual(['add', 'bark'])
    expect(asked).toEqual(['add=add', 'greet=greet', 'bark=bark', 'nothing=nothing'])
  })

  test('fails where authorize does, and tells why on its own side only', async () => {
    const errors: unknown[] = []
    const authorize = () => {
      throw new Error('database down')
    }
    const told = await rejection(ask({ authorize, onError: [(_, error) => errors.push(error)] }))
    expect(told).toMatchObject({ code: -32603 })
    expect(String(told)).not.toContain('database')
    expect(errors).toEqual([new Error('database down')])
  })

  test('without a contract knows but the names of what is exposed', async () => {
    await using endpoint = createEndpoint<UtilityMethods>({
      methods: utilityMethods(),
      discover: true,
    })
    await using client = createClient<Discoverable>({ url: (await endpoint.listen()).url })
    const document = await client.call('rpc.discover')
    expect(complaints(document)).toEqual([])
    const names = ['ping', 'echo', 'processDetails', 'callMeBack']
    expect(document.methods.map(({ name }) => name)).toEqual(names)
    expect(document.methods[0]).toMatchObject({ params: [], 'x-flashrpc-params': true })
  })

  test('takes rpc.discover for a request only, and no method can have its name', async () => {
    await using endpoint = createEndpoint(small, { methods })
    await using peer = await rawClient((await endpoint.listen()).url)
    peer.send({ jsonrpc: '2.0', method: 'rpc.discover' })
    peer.send({ jsonrpc: '2.0', id: 1, method: 'rpc.describe' })
    expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: -32601 } })
    peer.send({ jsonrpc: '2.0', id: 2, method: 'rpc.discover', rpc: { credit: 1 } })
    expect(await peer.nextJson()).toMatchObject({ id: 2, error: { code: -32600 } })
    expect(() => defineContract({ server: { 'rpc.discover': method() } })).toThrow(/rpc\./)
  })
})
