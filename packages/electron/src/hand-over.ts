/**
 * How a window's page and the main process come to share a MessagePort: the page makes a
 * MessageChannel and posts this message with one of its ports to its own window; the preload checks
 * it and forwards it to main, which answers on the port.
 */
export interface HandOver {
  readonly flashrpc: 'connect'
  /** The version of the hand-over. */
  readonly v: 1
}

/** The message that hands a port over. */
export const HAND_OVER: HandOver = Object.freeze({ flashrpc: 'connect', v: 1 })

/** Whether a message that reached a window, or main, is a hand-over; looks at own members only. */
export function isHandOver(message: unknown): message is HandOver {
  if (typeof message !== 'object' || message === null) return false
  if (!Object.hasOwn(message, 'flashrpc') || !Object.hasOwn(message, 'v')) return false
  const { flashrpc, v } = message as Partial<HandOver>
  return flashrpc === HAND_OVER.flashrpc && v === HAND_OVER.v
}
