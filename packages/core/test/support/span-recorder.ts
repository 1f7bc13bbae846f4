import type { Tracer, TracerProvider } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

/** What a test compares of a span. */
export interface SpanRecord {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
}

/** A tracer provider of one program, which keeps the spans that have ended. */
export class SpanRecorder implements TracerProvider {
  readonly #exporter = new InMemorySpanExporter()
  readonly #provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#exporter)],
  })

  getTracer(name: string): Tracer {
    return this.#provider.getTracer(name)
  }

  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans()
  }

  /** The same as values that can be sent. */
  get records(): SpanRecord[] {
    return this.spans.map((span) => {
      const { traceId, spanId } = span.spanContext()
      const { name, kind, parentSpanContext } = span
      return { name, kind, traceId, spanId, parentSpanId: parentSpanContext?.spanId ?? null }
    })
  }
}
