import {
  createClient,
  defineContract,
  method,
  notification,
  RpcError,
  stream,
} from '@flashrpc/core'
import { tracing } from '@flashrpc/core/opentelemetry'
import { pythonDialect } from '@flashrpc/core/python'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { SpanRecorder } from './support/span-recorder.js'

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    askBack: method({ result: z.string() }),
    askBackByTheSignal: method({ result: z.string() }),
    refuse: method(),
    fail: method(),
    hang: method(),
    ticks: stream({ params: z.object({ count: z.number() }), item: z.number() }),
    note: notification(),
  },
  client: { confirm: method({ result: z.string() }) },
})
type Options = EndpointOptions<typeof contract.server, typeof contract.client, unknown>

const opened: (() => unknown)[] = []

beforeEach(() => {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  propagation.disable()
  context.disable()
  trace.disable()
})

const methods: Options['methods'] = {
  add: ({ a, b }) => a + b,
  askBack: async (_, { channel }) => {
    await new Promise((resolve) => setTimeout(resolve))
    return channel.other.confirm()
  },
  askBackByTheSignal: async (_, { channel, signal }) => {
    await new Promise((resolve) => setTimeout(resolve))
    return channel.other.confirm(undefined, { signal })
  },
  refuse: () => {
    throw new RpcError(4004, 'No such report')
  },
  fail: () => {
    throw new TypeError('the disk is full')
  },
  hang: () => new Promise(() => {}),
  async *ticks({ count }) {
    for (let n = 0; n < count; n++) yield n
  },
  note: () => {},
}

/** Two programs, each of which traces by itself, over a real socket. */
async function traced(options: Partial<Options> = {}) {
  const server = new SpanRecorder()
  const client = new SpanRecorder()
  const endpoint = createEndpoint(contract, {
    use: tracing({ tracerProvider: server }),
    ...options,
    methods,
  })
  const { url } = await endpoint.listen()
  opened.push(() => endpoint.close())
  const peer = createClient(contract, {
    url,
    use: tracing({ tracerProvider: client }),
    methods: { confirm: () => 'yes' },
  })
  opened.push(() => peer.close())
  await peer.connect()
  /** The spans of both by now, once there are so many. */
  const spans = async (count: number) => {
    await polled(() => client.spans.length + server.spans.length).toBe(count)
    return [...client.spans, ...server.spans]
  }
  return { peer, endpoint, url, server, client, spans }
}

/** One span of a name and a kind. */
function spanOf(spans: readonly ReadableSpan[], name: string, kind: SpanKind): ReadableSpan {
  const [span, another] = spans.filter((one) => one.name === name && one.kind === kind)
  if (!span || another) throw new Error(`There is not one span ${name} of the kind ${kind}`)
  return span
}

const idOf = (span: ReadableSpan) => span.spanContext().spanId
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId
const tracesOf = (spans: readonly ReadableSpan[]) =>
  new Set(spans.map((span) => span.spanContext().traceId))

describe('one trace', () => {
  test('has the spans of both sides of a call', async () => {
    const { peer, spans } = await traced()
    expect(await peer.other.add({ a: 1, b: 2 })).toBe(3)
    const both = await spans(2)
    const called = spanOf(both, 'add', SpanKind.CLIENT)
    const served = spanOf(both, 'add', SpanKind.SERVER)
    expect(parentOf(called)).toBeUndefined()
    expect(parentOf(served)).toBe(idOf(called))
    expect(served.parentSpanContext?.isRemote).toBe(true)
    expect(tracesOf(both).size).toBe(1)
  })

  for (const [how, name, hasManager] of [
    ['by a context manager', 'askBack', true],
    ['by the signal that the handler passes on', 'askBackByTheSignal', false],
    ['by both', 'askBackByTheSignal', true],
  ] as const) {
    test(`goes on through a handler that calls back: ${how}`, async () => {
      if (hasManager)
        context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
      const { peer, spans } = await traced()
      expect(await Promise.all([peer.other[name](), peer.other.add({ a: 1, b: 2 })])).toEqual([
        'yes',
        3,
      ])
      const all = (await spans(6)).filter(({ name }) => name !== 'add')
      const asked = spanOf(all, name, SpanKind.CLIENT)
      const answers = spanOf(all, name, SpanKind.SERVER)
      const confirms = spanOf(all, 'confirm', SpanKind.CLIENT)
      const confirmed = spanOf(all, 'confirm', SpanKind.SERVER)
      expect([answers, confirms, confirmed].map(parentOf)).toEqual(
        [asked, answers, confirms].map(idOf),
      )
      expect(tracesOf(all).size).toBe(1)
    })
  }

  test('goes on through a handler that calls another server', async () => {
    const far = await traced()
    const { peer, endpoint, spans } = await traced()
    for (const channel of endpoint.channels) {
      channel.expose('add', (params, { signal }) => far.peer.other.add(params, { signal }))
    }
    expect(await peer.other.add({ a: 1, b: 2 })).toBe(3)
    const near = await spans(2)
    const beyond = await far.spans(2)
    const served = spanOf(near, 'add', SpanKind.SERVER)
    expect(parentOf(spanOf(beyond, 'add', SpanKind.CLIENT))).toBe(idOf(served))
    expect(tracesOf([...near, ...beyond]).size).toBe(1)
  })

  test('goes on from the span that is active where the call is made', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const { peer, client, spans } = await traced()
    const tracer = client.getTracer('test')
    await tracer.startActiveSpan('checkout', async (span) => {
      await Promise.resolve()
      await peer.other.add({ a: 1, b: 2 })
      span.end()
    })
    const all = await spans(3)
    const [checkout] = all.filter(({ name }) => name === 'checkout')
    expect(parentOf(spanOf(all, 'add', SpanKind.CLIENT))).toBe(checkout && idOf(checkout))
    expect(tracesOf(all).size).toBe(1)
  })

  test('goes on from another program, which says so in rpc.meta', async () => {
    const { url, server } = await traced()
    const raw = await rawClient(url)
    opened.push(() => raw[Symbol.asyncDispose]())
    const meta = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
    const params = { a: 1, b: 2 }
    raw.send({ jsonrpc: '2.0', id: 1, method: 'add', params, rpc: { meta } })
    await raw.nextJson()
    expect(server.records).toEqual([
      expect.objectContaining({
        traceId: '0af7651916cd43dd8448eb211c80319c',
        parentSpanId: 'b7ad6b7169203331',
      }),
    ])
  })

  test('does not take in the calls of those who only share a connection', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const client = new SpanRecorder()
    const endpoint = createEndpoint(contract, { methods })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    await client.getTracer('test').startActiveSpan('start', async (span) => {
      const use = tracing({ tracerProvider: client })
      const peer = createClient(contract, { url, use, methods: { confirm: () => 'yes' } })
      opened.push(() => peer.close())
      await peer.connect()
      span.end()
    })
    for (const channel of endpoint.channels) await channel.other.confirm()
    await polled(() => client.spans.length).toBe(2)
    expect(spanOf(client.spans, 'confirm', SpanKind.SERVER).parentSpanContext).toBeUndefined()
  })
})

describe('a span', () => {
  test('of the Python dialect claims no JSON-RPC, on either side', async () => {
    const recorders = { ours: new SpanRecorder(), python: new SpanRecorder() }
    const dialect = pythonDialect()
    const endpoint = createEndpoint(contract, {
      methods,
      dialect,
      use: tracing({ tracerProvider: recorders.ours }),
    })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const python = createClient(contract, {
      url,
      dialect,
      use: tracing({ tracerProvider: recorders.python }),
      methods: { confirm: () => 'yes' },
    })
    opened.push(() => python.close())
    // The same server has peers of both kinds.
    const plain = createClient(contract, { url, methods: { confirm: () => 'yes' } })
    opened.push(() => plain.close())
    expect(await python.other.askBackByTheSignal()).toBe('yes')
    await polled(() => recorders.python.spans.length + recorders.ours.spans.length).toBe(4)
    const spans = [...recorders.python.spans, ...recorders.ours.spans]
    for (const { attributes, name } of spans) {
      expect(attributes).toEqual({ 'rpc.system.name': 'flashrpc.python', 'rpc.method': name })
    }
    expect(await plain.other.add({ a: 1, b: 2 })).toBe(3)
    await polled(() => recorders.ours.spans.length).toBe(3)
    expect(recorders.ours.spans.at(-1)?.attributes).toMatchObject({
      'rpc.system.name': 'jsonrpc',
      'jsonrpc.protocol.version': '2.0',
    })
  })

  test('tells of its call', async () => {
    const { peer, spans } = await traced({ use: [] })
    await peer.other.add({ a: 1, b: 2 })
    const [span] = await spans(1)
    expect(span?.attributes).toEqual({
      'rpc.system.name': 'jsonrpc',
      'rpc.method': 'add',
      'jsonrpc.protocol.version': '2.0',
      'jsonrpc.request.id': '1',
    })
    expect(span?.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span?.instrumentationScope.name).toBe('@flashrpc/core')
  })

  test('tells what else the program says of the call', async () => {
    const server = new SpanRecorder()
    const use = tracing({
      tracerProvider: server,
      attributes: ({ identity }) => ({ 'enduser.id': String(identity) }),
    })
    const { peer } = await traced({ authenticate: () => 'ada', use })
    await peer.other.add({ a: 1, b: 2 })
    expect(server.spans[0]?.attributes).toMatchObject({ 'enduser.id': 'ada', 'rpc.method': 'add' })
  })

  test('of an error that was answered tells its code, on both sides', async () => {
    const { peer, spans } = await traced()
    await rejection(peer.other.refuse())
    for (const span of await spans(2)) {
      expect(span.attributes).toMatchObject({
        'error.type': '4004',
        'rpc.response.status_code': '4004',
      })
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'No such report' })
      expect(span.events).toEqual([])
    }
  })

  test('of an error that was not meant to be told has it, on the side where it was thrown', async () => {
    const { peer, spans } = await traced()
    await rejection(peer.other.fail())
    const both = await spans(2)
    expect(spanOf(both, 'fail', SpanKind.CLIENT).events).toEqual([])
    const { events, attributes } = spanOf(both, 'fail', SpanKind.SERVER)
    expect(attributes['error.type']).toBe('-32603')
    expect(events).toMatchObject([
      { name: 'exception', attributes: { 'exception.message': 'the disk is full' } },
    ])
  })

  test('of a call that was not answered has no status of an answer', async () => {
    const { peer, client } = await traced()
    await rejection(peer.other.hang(undefined, { timeout: 20 }))
    const { attributes, status } = spanOf(client.spans, 'hang', SpanKind.CLIENT)
    expect(attributes['error.type']).toBe('-32001')
    expect(attributes).not.toHaveProperty('rpc.response.status_code')
    expect(status.code).toBe(SpanStatusCode.ERROR)
  })

  test('of a method that there is not has none of the names that callers make up', async () => {
    const { url, server } = await traced()
    const raw = await rawClient(url)
    opened.push(() => raw[Symbol.asyncDispose]())
    raw.send({ jsonrpc: '2.0', id: 'x', method: 'made-up' })
    await raw.nextJson()
    const [span] = server.spans
    expect(span?.name).toBe('_OTHER')
    expect(span?.attributes).toMatchObject({
      'rpc.method': '_OTHER',
      'rpc.method_original': 'made-up',
      'rpc.response.status_code': '-32601',
      'jsonrpc.request.id': 'x',
    })
  })

  test('of a notification is a producer’s or a consumer’s, and has no id', async () => {
    const { peer, spans } = await traced()
    await peer.other.note()
    const both = await spans(2)
    const sent = spanOf(both, 'note', SpanKind.PRODUCER)
    expect(parentOf(spanOf(both, 'note', SpanKind.CONSUMER))).toBe(idOf(sent))
    for (const { attributes } of both) expect(attributes).not.toHaveProperty('jsonrpc.request.id')
  })

  test('of a stream lasts as long as that does, and one that was left has not failed', async () => {
    const { peer, client, spans } = await traced()
    // More than there may be on the way at once: at the first of them, the last is not sent.
    for await (const n of peer.other.ticks({ count: 1_000 })) {
      if (n === 0) expect(client.records).toEqual([])
    }
    expect(await spans(2)).toHaveLength(2)
    for await (const _ of peer.other.ticks({ count: 1_000_000 })) break
    for (const { status } of await spans(4)) expect(status.code).toBe(SpanStatusCode.UNSET)
  })
})

test('without an SDK, calls are as they were', async () => {
  propagation.disable()
  const endpoint = createEndpoint(contract, { use: tracing(), methods })
  const { url } = await endpoint.listen()
  opened.push(() => endpoint.close())
  const client = createClient(contract, { url, use: tracing() })
  opened.push(() => client.close())
  expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  expect(await rejection(client.other.refuse())).toMatchObject({ code: 4004 })
})

test('the provider of the whole program is asked where no other is given', async () => {
  const all = new SpanRecorder()
  const endpoint = createEndpoint(contract, { use: tracing(), methods })
  const { url } = await endpoint.listen()
  opened.push(() => endpoint.close())
  trace.setGlobalTracerProvider(all)
  const client = createClient(contract, { url })
  opened.push(() => client.close())
  await client.other.add({ a: 1, b: 2 })
  expect(all.records).toMatchObject([{ name: 'add', kind: SpanKind.SERVER }])
})
