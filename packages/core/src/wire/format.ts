import { RpcConfigError } from '../errors/errors.js'
import { type Codec, type FrameType, jsonCodec } from './codec.js'

/** The codec and the type of frames of one side. */
export interface Format {
  readonly codec: Codec
  readonly frameType: FrameType
}

/** The default, one object for all channels. */
const DEFAULT_FORMAT: Format = { codec: jsonCodec, frameType: 'text' }

/**
 * @returns the format that options name, or the default: JSON in text frames.
 * @throws {RpcConfigError} if the codec is not one, or the type of frames is unknown.
 */
export function resolveFormat(options: {
  codec?: Codec | undefined
  frameType?: FrameType | undefined
}): Format {
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
    throw new RpcConfigError(`frameType must be "text" or "binary"; it is ${String(frameType)}`)
  }
  return codec === jsonCodec && frameType === 'text' ? DEFAULT_FORMAT : { codec, frameType }
}
