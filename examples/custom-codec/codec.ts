import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Codec } from '@flashrpc/core'
import { parse, stringify } from 'superjson'

/** Larger than any message may be once it is inflated: a small frame can't fill the memory. */
const maxOutputLength = 8 * 1024 * 1024

/** Messages with `Date`, `Map`, `Set`, `bigint` and more, as superjson writes them, compressed. */
export const codec: Codec = {
  name: 'superjson+deflate',
  encode: (message) => deflateRawSync(stringify(message)),
  decode: (frame) => parse(inflateRawSync(frame as Uint8Array, { maxOutputLength }).toString()),
}
