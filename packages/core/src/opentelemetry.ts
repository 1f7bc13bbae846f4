export { type TracingOptions, tracing } from './opentelemetry/tracing.js'
