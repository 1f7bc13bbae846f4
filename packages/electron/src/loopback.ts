/** The loopback WebSocket: what will serve this app's pages and programs only. */
export { type HandOver, isHandOver } from './hand-over.js'
