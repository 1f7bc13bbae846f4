import { randomHex } from './random-hex.js'

/**
 * 128 random bits, in hexadecimal.
 *
 * @throws {RpcConfigError} if there is no `crypto`.
 */
export function randomId(): string {
  return randomHex(32)
}
