import { attachedTo, encode, frameOf } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import { classify, errorMessage, type ResponseMessage, resultMessage } from '../wire/message.js'

/** An answer as a store keeps it: its message in the server's codec, in JSON, its bytes in base64. */
interface StoredAnswer {
  readonly codec: string
  readonly text?: string
  readonly binary?: string
  readonly bytes?: readonly string[]
}

/** @throws the error of the codec if it can't carry the answer. */
export function storeAnswer(format: Format, answer: ResponseMessage): string {
  const encoded = encode({ ...format, frameType: 'text' }, answer)
  const frame = frameOf(encoded)
  const { frames } = attachedTo(encoded) ?? {}
  const stored: StoredAnswer = {
    codec: format.codec.name,
    ...(typeof frame === 'string' ? { text: frame } : { binary: base64(frame) }),
    ...(frames && { bytes: frames.map(base64) }),
  }
  return JSON.stringify(stored)
}

/** @returns the answer; `undefined` if it can't be read in this format, because it was written in another. */
export function readStoredAnswer(
  { codec, attachments }: Format,
  record: string,
): ResponseMessage | undefined {
  const stored = JSON.parse(record) as StoredAnswer
  if (stored.codec !== codec.name) return undefined
  const { text, binary = '', bytes } = stored
  if (bytes && !attachments) return undefined
  const decoded = codec.decode(text ?? fromBase64(binary))
  if (bytes) attachments?.restore(decoded, bytes.map(fromBase64))
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
