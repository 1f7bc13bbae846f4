import { tracing } from '@flashrpc/core/opentelemetry'
import { createEndpoint } from '@flashrpc/core/server'
import { propagation } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { type SpanRecord, SpanRecorder } from './span-recorder.js'

/** What a traced page and its server call each other for. */
export interface TracedServer {
  /** Asks the page back, and gives what it says. */
  askBack(params: { text: string }): Promise<string>
  /** The spans of the server that have ended. */
  spans(): readonly SpanRecord[]
}
export interface TracedPage {
  upper(params: { text: string }): string
}

/** A server that traces its calls, in a program without a context manager. */
export function createTracedServer() {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const recorder = new SpanRecorder()
  const endpoint = createEndpoint<TracedServer, TracedPage>({
    allowedOrigins: '*',
    use: tracing({ tracerProvider: recorder }),
    methods: {
      async askBack({ text }, { channel, signal }) {
        return `the page says ${await channel.other.upper({ text }, { signal })}`
      },
      spans: () => recorder.records,
    },
  })
  return {
    listen: () => endpoint.listen(),
    async close() {
      await endpoint.close()
      propagation.disable()
    },
  }
}
