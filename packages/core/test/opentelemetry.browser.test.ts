import { createClient } from '@flashrpc/core'
import { tracing } from '@flashrpc/core/opentelemetry'
import { propagation, SpanKind } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Control } from '../../../scripts/test-server/control.js'
import { polled } from './support/eventually.js'
import { SpanRecorder } from './support/span-recorder.js'
import type { TracedPage, TracedServer } from './support/traced-server.js'

/** A page, and a server that calls it back: neither has a context manager. */
const control = createClient<Control>({ url: inject('controlUrl') })
let port: number
let url: string

beforeAll(async () => {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  ;({ port, url } = await control.other.startTraced({}))
})

afterAll(async () => {
  propagation.disable()
  await control.other.stop({ port })
  await control.close()
})

test('one trace goes from the page through the server back to the page', async () => {
  const recorder = new SpanRecorder()
  await using client = createClient<TracedServer, TracedPage>({
    url,
    use: tracing({ tracerProvider: recorder }),
    methods: { upper: ({ text }) => text.toUpperCase() },
  })
  const answers = await Promise.all([
    client.other.askBack({ text: 'one' }),
    client.other.askBack({ text: 'two' }),
  ])
  expect(answers).toEqual(['the page says ONE', 'the page says TWO'])
  await polled(() => recorder.records.length).toBe(4)
  const page = recorder.records
  const server = (await client.other.spans()).filter(({ name }) => name !== 'spans')

  const traces = new Set(page.map(({ traceId }) => traceId))
  expect(traces.size).toBe(2)
  for (const trace of traces) {
    const spans = [...page, ...server].filter(({ traceId }) => traceId === trace)
    const idOf = (name: string, kind: SpanKind) =>
      spans.find((span) => span.name === name && span.kind === kind)?.spanId
    const { CLIENT, SERVER } = SpanKind
    expect(spans.map(({ name, kind, parentSpanId }) => [name, kind, parentSpanId])).toEqual(
      expect.arrayContaining([
        ['askBack', CLIENT, null],
        ['askBack', SERVER, idOf('askBack', CLIENT)],
        ['upper', CLIENT, idOf('askBack', SERVER)],
        ['upper', SERVER, idOf('upper', CLIENT)],
      ]),
    )
    expect(spans).toHaveLength(4)
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4)
  }
})
