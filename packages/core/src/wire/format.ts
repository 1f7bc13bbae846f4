import { RpcConfigError } from '../errors/errors.js'
import type { Attachments } from './attachments.js'
import { type Codec, type FrameType, jsonCodec } from './codec.js'

/** How one side writes its messages. */
export interface Format {
  readonly codec: Codec
  readonly frameType: FrameType
  /** Carries what JSON can't; undefined if nothing does, and with other codecs, which carry bytes in their frames. */
  readonly attachments: Attachments | undefined
}

/**
 * @param attachments carries what JSON can't; undefined if no feature does.
 * @returns the format that options name, or the default: JSON in text frames.
 * @throws {RpcConfigError} if the codec is not one, or the type of frames is unknown.
 */
export function resolveFormat(
  options: { codec?: Codec | undefined; frameType?: FrameType | undefined },
  attachments: Attachments | undefined,
): Format {
  const { codec = jsonCodec, frameType = 'text' } = options
  const isCodec =
    typeof codec?.encode === 'function' &&
    typeof codec.decode === 'function' &&
    typeof codec.name === 'string' &&
    codec.name !== ''
  if (!isCodec) {
    throw new RpcConfigError('codec must be an object with a name, encode and decode')
  }
  if (frameType !== 'text' && frameType !== 'binary') {
    throw new RpcConfigError(`frameType must be "text" or "binary". It is ${String(frameType)}`)
  }
  return { codec, frameType, attachments: codec === jsonCodec ? attachments : undefined }
}
