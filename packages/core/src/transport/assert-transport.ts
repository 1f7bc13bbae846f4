import { RpcConfigError } from '../errors/errors.js'
import type { Transport } from './transport.js'

/**
 * Checks that a value of the application is a transport.
 *
 * @param does how the option `transport` gives it: the option is one, or is a function that returns one.
 * @throws {RpcConfigError} if the value lacks a function that each transport has.
 */
export function assertTransport(value: Transport, does: 'be' | 'return'): Transport {
  const given: Partial<Transport> = value ?? {}
  for (const name of ['start', 'send', 'close'] as const) {
    if (typeof given[name] === 'function') continue
    throw new RpcConfigError(
      `transport must ${does} an open connection, such as messagePortTransport(port). It has no ${name}()`,
    )
  }
  return value
}
