/** server → client: the server is leaving (docs/protocol.md, "Draining"). */
export interface Bye {
  /** In a session: no message with a higher number was run, or will be. */
  readonly recv?: number
  /** How long the client must wait before it connects again, in ms. */
  readonly retryAfterMs?: number
}

/** @returns the params of an `rpc.bye`; `undefined` if they are invalid. */
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
