import { assertDuration, assertOptions } from '@flashrpc/core/internal'

/** How a host, or a loopback, closes. */
export interface CloseOptions {
  /** How long calls that run may take to finish, in ms. Default 0. */
  drain?: number
}

const CLOSE_OPTIONS = { drain: 'elsewhere' } as const

/**
 * @returns how long calls that run may take to finish, in ms.
 * @throws {RpcConfigError} if an option is wrong.
 */
export function drainOf(options: CloseOptions): number {
  assertOptions('close', options, CLOSE_OPTIONS)
  const { drain = 0 } = options
  assertDuration('close: drain', drain)
  return drain
}
