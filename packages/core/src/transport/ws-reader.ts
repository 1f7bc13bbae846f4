import { FINAL_TEXT, MASKED } from './ws-frame.js'
import { maskBytes } from './ws-mask.js'

/** Whom texts are for. */
export interface TextReader {
  /** Whether the socket is a server's, to which frames come masked. */
  readonly isServed: boolean
  receivedText(text: string): void
}

/** What a text has in place of what is no UTF-8, or as any other character. */
const REPLACED = '\uFFFD'

/**
 * As much as is needed of what reads a socket of `ws`. What begins with `_` is that library's own: where it is another
 * thing one day, nothing of it says "between messages", and all is left to `ws`.
 */
export interface WsReceiver {
  write(chunk: Buffer): boolean
  /** What comes next; 0: the beginning of a frame. */
  readonly _state: number
  /** Bytes that came of what comes next. */
  readonly _bufferedBytes: number
  /** What kind of message it is whose other frames are to come; 0: none. */
  readonly _fragmented: number
  /** 0: any. */
  readonly _maxPayload: number
  /** Of a stream: it failed. */
  readonly errored: Error | null
  /** Of a stream: the socket has said goodbye. */
  readonly writableEnded: boolean
}

/** How a receiver's own `write`, which all of them share, finds whom texts are for. */
const READER: unique symbol = Symbol('reader')

interface ReadReceiver extends WsReceiver {
  [READER]: TextReader
}

/**
 * Has whole frames of text read here, and leaves all else to `ws`: parts of frames, bytes, pings, goodbyes, what breaks
 * the protocol. Where `ws` reads, each chunk is written to a stream, each frame is cut out of it piece by piece, and
 * each message is told as two events: a fifth of what a small call costs on both sides.
 */
export function readTextOf(receiver: WsReceiver, reader: TextReader): void {
  const read = receiver as ReadReceiver
  read[READER] = reader
  read.write = write
}

function write(this: ReadReceiver, chunk: Buffer): boolean {
  const read = readTexts(this, chunk, chunk.length)
  if (read === chunk.length) return true
  const { write } = Object.getPrototypeOf(this) as WsReceiver
  return write.call(this, read === 0 ? chunk : chunk.subarray(read))
}

/**
 * Reads what has come, ahead of a receiver that is read here.
 *
 * @param size how much of the memory that is, in bytes.
 * @returns how much of it were whole frames of text; the rest is the receiver's.
 */
export function readTexts(receiver: WsReceiver, memory: Buffer, size: number): number {
  const { [READER]: reader, _maxPayload } = receiver as ReadReceiver
  return isBetweenMessages(receiver) ? readFrames(memory, size, reader, _maxPayload) : 0
}

function isBetweenMessages(receiver: WsReceiver): boolean {
  const { _state, _bufferedBytes, _fragmented, errored, writableEnded } = receiver
  return _state === 0 && _bufferedBytes === 0 && _fragmented === 0 && !errored && !writableEnded
}

function readFrames(memory: Buffer, size: number, reader: TextReader, maxPayload: number): number {
  const { isServed } = reader
  let at = 0
  while (at + 4 <= size && memory[at] === FINAL_TEXT) {
    let length = (memory[at + 1] as number) - (isServed ? MASKED : 0)
    // One that is masked where it may not be, or has a length of eight bytes; one that is not where it must be.
    if (length > 126 || length < 0) break
    let from = at + 2
    if (length === 126) {
      length = memory.readUInt16BE(from)
      from += 2
    }
    if (isServed) from += 4
    const to = from + length
    if (to > size || (length > maxPayload && maxPayload > 0)) break
    if (isServed) maskBytes(memory, from, to, memory, from - 4)
    const text = memory.toString('utf8', from, to)
    if (text.includes(REPLACED)) {
      // Whether it is UTF-8, is for `ws` to say, which has it as it came.
      if (isServed) maskBytes(memory, from, to, memory, from - 4)
      break
    }
    at = to
    reader.receivedText(text)
  }
  return at
}
