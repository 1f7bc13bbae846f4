import type { Budget } from './state.js'

/** How much of the protocol one search sees: how many calls, how many faults, how large the buffers. */
export interface Scope extends Budget {
  readonly name: string
  /** Calls of the client. */
  readonly calls: number
  /** Calls of the server. */
  readonly serverCalls: number
  /** Frames that may be written and unacknowledged, each way. */
  readonly window: number
  /** Frames that the server keeps for a detached session, written or not. */
  readonly buffer: number
  /** Automatic resends, of which a client has 10 and earns more. */
  readonly resends: number
}

/** The searches of CI: each sees all there is in its scope. */
export const scopes: readonly Scope[] = [
  scope('a cut', { calls: 1, serverCalls: 1, cuts: 1 }),
  scope('a cut, two calls', { calls: 2, cuts: 1 }),
  scope('two cuts', { calls: 1, cuts: 2 }),
  scope('two cuts, a call of the server', { serverCalls: 1, cuts: 2 }),
  scope('a false death', { calls: 1, serverCalls: 1, falseDeaths: 1 }),
  scope('a cut and a false death', { calls: 1, cuts: 1, falseDeaths: 1 }),
  scope('small buffers', { calls: 2, cuts: 1, window: 1, buffer: 1 }),
  scope('an expiry', { calls: 2, cuts: 1, expiries: 1, resends: 1 }),
  scope('an expiry, calls both ways', { calls: 1, serverCalls: 1, cuts: 1, expiries: 1 }),
  scope('a killed server', { calls: 1, serverCalls: 1, restarts: 1 }),
  scope('a killed server and a cut', { calls: 1, cuts: 1, restarts: 1 }),
  scope('a drain', { calls: 2, drains: 1, resends: 1 }),
  scope('a drain, calls both ways', { calls: 1, serverCalls: 1, drains: 1 }),
  scope('a drain and a cut', { calls: 1, cuts: 1, drains: 1 }),
  scope('a closing client', { calls: 1, cuts: 1, closes: 1 }),
  scope('a twin', { calls: 1, serverCalls: 1, twins: 1 }),
  scope('a twin and a cut', { calls: 1, cuts: 1, twins: 1 }),
  scope('a cancelled call of two', { calls: 2, cuts: 1, cancels: 1 }),
  scope('small buffers, three calls', { calls: 2, serverCalls: 1, cuts: 1, window: 1, buffer: 2 }),
]

/** Larger ones, for searches by hand. */
export const deepScopes: readonly Scope[] = [
  scope('a cut, three calls', { calls: 2, serverCalls: 1, cuts: 1 }),
  scope('a false death, three calls', { calls: 2, serverCalls: 1, falseDeaths: 1 }),
  scope('a cut and a false death, two calls', { calls: 2, cuts: 1, falseDeaths: 1 }),
  scope('three cuts', { calls: 1, cuts: 3 }),
  scope('two cuts and an expiry', { calls: 2, cuts: 2, expiries: 1, resends: 1 }),
  scope('a killed server and a cut, two calls', { calls: 2, cuts: 1, restarts: 1 }),
  scope('a drain and a cut, two calls', { calls: 2, cuts: 1, drains: 1, resends: 1 }),
  scope('a drain and a killed server', { calls: 2, drains: 1, restarts: 1 }),
  scope('a closing client, calls both ways', { calls: 1, serverCalls: 1, cuts: 1, closes: 1 }),
]

/** A scope in which nothing goes wrong, but for what is said. */
export function scope(name: string, parts: Partial<Omit<Scope, 'name'>>): Scope {
  return {
    name,
    calls: 0,
    serverCalls: 0,
    window: 9,
    buffer: 9,
    resends: 9,
    cuts: 0,
    falseDeaths: 0,
    expiries: 0,
    restarts: 0,
    drains: 0,
    closes: 0,
    cancels: 0,
    twins: 0,
    ...parts,
  }
}
