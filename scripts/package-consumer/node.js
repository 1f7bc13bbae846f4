import { createClient } from '@flashrpc/core'
import { tracing } from '@flashrpc/core/opentelemetry'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { contract } from './contract.js'
import { serve } from './serve.js'

const server = await serve()
const spans = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
const client = createClient(contract, {
  url: server.url,
  use: tracing({ tracerProvider }),
  methods: { confirm: () => 'yes' },
})
const sum = await client.other.add({ a: 5, b: 10 })
const answer = await client.other.askMe()
await client.close()
await server.close()
const traced = spans.getFinishedSpans().map(({ name }) => name)
console.log(`${process.version}: ${sum}, ${answer}, traced: ${traced.join(' ')}`)
