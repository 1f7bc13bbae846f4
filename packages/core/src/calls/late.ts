import type { Incoming } from './incoming.js'

/** A call was held for so many ms before it was begun: it has so much less time left. */
export function lateBy(incoming: Incoming, waitedMs: number): Incoming {
  const { method, params, rpc } = incoming
  const deadlineMs = rpc?.deadlineMs
  if (typeof deadlineMs !== 'number') return incoming
  return { method, params, rpc: { ...rpc, deadlineMs: Math.max(0, deadlineMs - waitedMs) } }
}
