import { defineContract, method, stream } from '@flashrpc/core'
import { z } from 'zod'

/** The largest piece of a file, in bytes: far below the limit of a message, 1 MiB. */
export const CHUNK_BYTES = 256 * 1024
/** The largest file, in bytes. */
export const MAX_FILE_BYTES = 4 * 1024 ** 3

/** The codes of this contract's errors. */
export const FileErrorCode = {
  /** There is no such file. */
  missing: 4004,
  /** What came is not what was announced. */
  wrongSize: 4022,
  /** The server has no room for it. */
  full: 4507,
} as const

/** A name and nothing more: no folder, nothing hidden, nothing that a system reads as something else. */
const Name = z.string().regex(/^[\p{L}\p{N}_](?:[\p{L}\p{N}_ .()+-]{0,98}[\p{L}\p{N}_)])?$/u, {
  error: 'must be letters, digits, spaces and . _ ( ) + -, 100 at the most; not a path',
})
const Size = z
  .int()
  .nonnegative()
  .max(MAX_FILE_BYTES, { error: `must be ${MAX_FILE_BYTES} bytes at the most` })

const Chunk = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.byteLength <= CHUNK_BYTES,
  { error: `must be bytes, ${CHUNK_BYTES} at the most` },
)

const Receipt = z.object({ name: Name, size: Size, sha256: z.string().regex(/^[0-9a-f]{64}$/) })
/** What the server has of a file. */
export type Receipt = z.infer<typeof Receipt>

/** What both programs agree on. */
export const contract = defineContract({
  server: {
    upload: method({ params: z.object({ name: Name, size: Size }), input: Chunk, result: Receipt }),
    describe: method({ params: z.object({ name: Name }), result: Receipt }),
    download: stream({ params: z.object({ name: Name }), item: Chunk }),
  },
})
