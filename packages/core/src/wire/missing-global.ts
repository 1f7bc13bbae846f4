import { RpcConfigError } from '../errors/errors.js'

/** Globals that some platforms lack, such as some versions of React Native, and the polyfill of each. */
const POLYFILLS = {
  TextDecoder: 'fast-text-encoding',
  TextEncoder: 'fast-text-encoding',
  'TextEncoder.encodeInto': 'fastestsmallesttextencoderdecoder-encodeinto',
  URL: 'react-native-url-polyfill/auto',
  crypto: 'react-native-get-random-values',
} as const

/** Makes the error for a missing global, which says what to do. */
export function missingGlobal(name: keyof typeof POLYFILLS, cause?: unknown): RpcConfigError {
  const message = `There is no ${name} here. Import a polyfill ahead of everything else, such as "${POLYFILLS[name]}"`
  return new RpcConfigError(message, { cause })
}
