import { missingGlobal } from './missing-global.js'

/**
 * Makes random hexadecimal digits; their number must be even. (`crypto.randomUUID` is missing on plain http pages.)
 *
 * @throws {RpcConfigError} if there is no `crypto`.
 */
export function randomHex(digits: number): string {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') throw missingGlobal('crypto')
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
