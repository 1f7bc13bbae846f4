import type { Feature } from '../../calls/feature.js'
import { awaitedBytes } from './awaited-bytes.js'
import { ByteReader } from './byte-reader.js'
import { toJsonWithBytes } from './lifted-bytes.js'

/** Bytes beside JSON: each `Uint8Array` of a message travels in a binary frame of its own. */
export function bytes(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'bytes',
  // They are in their places when the request arrives.
  extras: { bytes: {} },
  attachments: {
    hello: { bytes: true },
    encode: toJsonWithBytes,
    reader: () => new ByteReader(),
    restore(decoded, frames) {
      const awaited = awaitedBytes(decoded)
      for (const frame of frames) awaited?.take(frame)
    },
  },
}
