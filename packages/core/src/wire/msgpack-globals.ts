import { missingGlobal } from './missing-global.js'

// `@msgpack/msgpack` makes a TextEncoder and a TextDecoder when it is imported, and writes long text with
// `encodeInto`, which some polyfills lack.
if (typeof TextDecoder === 'undefined') throw missingGlobal('TextDecoder')
if (typeof TextEncoder === 'undefined' || !('encodeInto' in TextEncoder.prototype)) {
  throw missingGlobal('TextEncoder.encodeInto')
}
