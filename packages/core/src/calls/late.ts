import type { Incoming } from './incoming.js'

/** Subtracts the time in ms for which a call was held from the time that it has left. */
export function lateBy(incoming: Incoming, waitedMs: number): Incoming {
  const { method, params, rpc } = incoming
  const deadlineMs = rpc?.deadlineMs
  if (typeof deadlineMs !== 'number') return incoming
  return { method, params, rpc: { ...rpc, deadlineMs: Math.max(0, deadlineMs - waitedMs) } }
}
