import { awaitedBytes } from '../wire/bytes.js'
import { type Codec, jsonCodec } from '../wire/codec.js'
import { bytesOf, encode, frameOf } from '../wire/encoded.js'
import { classify, errorMessage, type ResponseMessage, resultMessage } from '../wire/message.js'

/** An answer as a store keeps it: its message in the server's codec, in JSON, its bytes in base64. */
interface StoredAnswer {
  readonly codec: string
  readonly text?: string
  readonly binary?: string
  readonly bytes?: readonly string[]
}

/** @throws the error of the codec if it can't carry the answer. */
export function storeAnswer(codec: Codec, answer: ResponseMessage): string {
  const encoded = encode({ codec, frameType: 'text' }, answer)
  const frame = frameOf(encoded)
  const bytes = bytesOf(encoded)
  const stored: StoredAnswer = {
    codec: codec.name,
    ...(typeof frame === 'string' ? { text: frame } : { binary: base64(frame) }),
    ...(bytes.length > 0 && { bytes: bytes.map(base64) }),
  }
  return JSON.stringify(stored)
}

/** @returns the answer; `undefined` if this codec can't read it, because another codec wrote it. */
export function readStoredAnswer(codec: Codec, record: string): ResponseMessage | undefined {
  const stored = JSON.parse(record) as StoredAnswer
  if (stored.codec !== codec.name) return undefined
  const { text, binary = '', bytes = [] } = stored
  const decoded = codec.decode(text ?? fromBase64(binary))
  const awaited = codec === jsonCodec ? awaitedBytes(decoded) : undefined
  for (const part of bytes) awaited?.take(fromBase64(part))
  const answer = classify(decoded)
  if (answer.kind === 'result') return resultMessage(null, answer.result)
  if (answer.kind !== 'error') return undefined
  const { code, message, data } = answer.error
  return errorMessage(null, code, message, data, answer.ran)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
