import { RpcConfigError } from '../errors.js'

/** What not every place has, such as React Native of some versions, and what adds it. */
const POLYFILLS = {
  TextDecoder: 'fast-text-encoding',
  TextEncoder: 'fast-text-encoding',
  'TextEncoder.encodeInto': 'fastestsmallesttextencoderdecoder-encodeinto',
  URL: 'react-native-url-polyfill/auto',
  crypto: 'react-native-get-random-values',
} as const

/** Why something can't be done without a global, and what to do. */
export function missingGlobal(name: keyof typeof POLYFILLS, cause?: unknown): RpcConfigError {
  const message = `There is no ${name} here. Import a polyfill ahead of everything else, such as "${POLYFILLS[name]}"`
  return new RpcConfigError(message, { cause })
}
