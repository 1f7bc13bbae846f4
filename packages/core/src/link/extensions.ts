import { HELLO, HELLO_ID } from './handshake.js'

/** server → client: it will leave (docs/protocol.md, "Draining"). */
export interface Bye {
  /** In a session: nothing above this number was run, or will be. */
  readonly recv?: number
  /** How long the client shall wait before it connects again, in ms. */
  readonly retryAfterMs?: number
}

/** @returns the params of an `rpc.bye`, or `undefined` where they are none. */
export function readBye(params: unknown): Bye | undefined {
  const { recv, retryAfterMs } = (params ?? {}) as Partial<Bye>
  for (const value of [recv, retryAfterMs]) {
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) return undefined
  }
  return {
    ...(recv !== undefined && { recv }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** The protocol's own words, which have no number in a session. */
const UNCOUNTED: ReadonlySet<unknown> = new Set([
  HELLO,
  'rpc.ack',
  'rpc.ping',
  'rpc.pong',
  'rpc.bye',
  'rpc.methods',
])

/** Whether a message has a number in a session: all but the handshake and words of life. */
export function isCounted(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return true
  const { method, id } = message as { method?: unknown; id?: unknown }
  return !(UNCOUNTED.has(method) || (method === undefined && id === HELLO_ID))
}
