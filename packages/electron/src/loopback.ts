/** The loopback WebSocket: a contract served to this app's pages and programs, and nobody else. */
export { createLoopback, type Loopback } from './loopback/create-loopback.js'
export type { LoopbackOptions } from './loopback/options.js'
