import { missingGlobal } from './missing-global.js'

/**
 * So many random hexadecimal digits, an even number of them; `crypto.randomUUID` is missing on plain http pages.
 *
 * @throws {RpcConfigError} where there is no `crypto`.
 */
export function randomHex(digits: number): string {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') throw missingGlobal('crypto')
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
