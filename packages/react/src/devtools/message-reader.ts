import type { Codec, Frame } from '@flashrpc/core'

/** A message as it passed, and how much it came as. */
export interface ReadMessage {
  readonly message: unknown
  /** All its frames, in bytes, text by its length. */
  readonly bytes: number
}

/** Bytes of a message beyond this are not kept. */
const MOST_KEPT = 64 * 1024

/** Stands for bytes that are not kept. */
export class LeftOut {
  readonly byteLength: number

  constructor(byteLength: number) {
    this.byteLength = byteLength
  }
}

interface Awaited {
  readonly message: object
  readonly parts: readonly { at: readonly string[]; size: number }[]
  taken: number
  bytes: number
}

/**
 * Reads the messages in the frames of one direction, for people to read. Bytes that follow a message
 * (docs/protocol.md, "Bytes") are put in their places. A frame that can't be decoded is shown as it is.
 */
export class MessageReader {
  readonly #codec: () => Codec
  #awaited: Awaited | undefined

  constructor(codec: () => Codec) {
    this.#codec = codec
  }

  /** @returns the messages that the frame completes: several for a batch, none if bytes are still to come. */
  read(passing: Frame): readonly ReadMessage[] {
    if (this.#awaited && typeof passing !== 'string') return this.#take(this.#awaited, passing)
    const frame = own(passing)
    let decoded: unknown
    try {
      decoded = this.#decode(frame)
    } catch {
      return [{ message: frame, bytes: frame.length }]
    }
    if (Array.isArray(decoded)) {
      return decoded.map((message) => ({ message, bytes: frame.length / decoded.length }))
    }
    const parts = announced(decoded)
    if (!parts) return [{ message: decoded, bytes: frame.length }]
    this.#awaited = { message: decoded as object, parts, taken: 0, bytes: frame.length }
    return []
  }

  /** The hello and its answer are JSON with every codec. */
  #decode(frame: Frame): unknown {
    try {
      return this.#codec().decode(frame)
    } catch (thrown) {
      if (typeof frame === 'string') return JSON.parse(frame)
      throw thrown
    }
  }

  #take(awaited: Awaited, frame: Uint8Array): readonly ReadMessage[] {
    const part = awaited.parts[awaited.taken++]
    awaited.bytes += frame.length
    if (part) {
      const value = frame.length > MOST_KEPT ? new LeftOut(frame.length) : new Uint8Array(frame)
      put(awaited.message, part.at, value)
    }
    if (awaited.taken < awaited.parts.length) return []
    this.#awaited = undefined
    return [{ message: awaited.message, bytes: awaited.bytes }]
  }
}

/** A copy of a frame that nobody else holds, so that parts of it can be kept. */
function own(frame: Frame): Frame {
  const isPart = typeof frame !== 'string' && frame.byteLength < frame.buffer.byteLength
  return isPart ? new Uint8Array(frame) : frame
}

function announced(message: unknown): Awaited['parts'] | undefined {
  const { rpc } = (message ?? {}) as { rpc?: { bytes?: Awaited['parts'] } }
  return Array.isArray(rpc?.bytes) && rpc.bytes.length > 0 ? rpc.bytes : undefined
}

function put(message: object, at: readonly string[], value: unknown): void {
  let holder: unknown = message
  for (const key of at.slice(0, -1)) holder = (holder as Record<string, unknown> | null)?.[key]
  const key = at.at(-1)
  // Only own members: a path that came over a wire must not reach a prototype.
  if (holder && typeof holder === 'object' && key !== undefined && Object.hasOwn(holder, key)) {
    ;(holder as Record<string, unknown>)[key] = value
  }
}
