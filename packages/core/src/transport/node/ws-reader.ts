import { connect, type createConnection, type NetConnectOpts, type Socket } from 'node:net'
import type { Frame } from '../../wire/codec.js'
import { FINAL_BYTES, FINAL_TEXT, MASKED, maskBytes } from './ws-frame.js'
import { FrameCounter } from './ws-frame-counter.js'
import { UnfinishedFrame } from './ws-unfinished.js'

/** What comes in. */
export interface ReaderEvents {
  /** A message came. */
  frame(message: Frame): void
  /** Bytes of an unfinished message came. */
  arriving?(): void
  /** Frames came that are not messages. */
  otherFrames?(frames: number, bytes: number): void
}

/**
 * The part of the reader (`Receiver`) of a `ws` socket that is needed. Members that begin with `_` are private to that
 * library. If one of them is something else in another version, everything is left to `ws`, its limits included.
 */
export interface WsReceiver {
  write(chunk: Buffer): boolean
  /** The part that comes next; 0: the beginning of a frame. */
  readonly _state: number
  /** The number of bytes of this part that have come. */
  readonly _bufferedBytes: number
  /** The kind of the message that has more frames to come; 0: none. */
  readonly _fragmented: number
  /** The largest message, in bytes; 0 for no limit. */
  readonly _maxPayload: number
  /** Of a stream: it failed. */
  readonly errored: Error | null
  /** Of a stream: no more bytes come, because the socket has ended. */
  readonly writableEnded: boolean
}

/** The keys by which the `write` that all receivers share finds who is told, and whether frames are masked. */
const EVENTS: unique symbol = Symbol('events')
const IS_MASKED: unique symbol = Symbol('is masked')
/** The key of the bytes of an unfinished frame: a part of its header, or all of it. */
const BEGUN: unique symbol = Symbol('begun')

/** Counts the frames that are left to `ws`. */
const COUNTER: unique symbol = Symbol('counter')

interface ReadReceiver extends WsReceiver {
  [EVENTS]: ReaderEvents
  [IS_MASKED]: boolean
  [BEGUN]?: Buffer | UnfinishedFrame | undefined
  [COUNTER]?: FrameCounter
}

/** Of the first byte of a frame, as {@link FINAL_TEXT}. */
const PING = 0x89
const PONG = 0x8a
/** The character in a text for bytes that are not UTF-8. It may also be a character of the text. */
const REPLACED = '\uFFFD'

/**
 * Messages of one frame are read here from now on (RFC 6455, section 5.2). All others are left to `ws`: messages of
 * several frames, pings, close frames, and frames that break the protocol. If `ws` reads, each chunk is written to a
 * stream, each frame is cut out of it piece by piece and unmasked a byte at a time, and each message is reported by two
 * events: a fifth of what a small call costs on both sides, and an eighth of what 16 KB of JSON cost a server.
 *
 * @param isServed whether the socket is a server's. Then incoming frames are masked.
 * @returns false if the receiver does not have the expected members, or has no limit: then nothing is read here.
 */
export function readMessagesOf(
  receiver: Partial<WsReceiver> | null | undefined,
  events: ReaderEvents,
  isServed: boolean,
): receiver is WsReceiver {
  if (!isReadable(receiver)) return false
  const read = receiver as ReadReceiver
  read[EVENTS] = events
  read[IS_MASKED] = isServed
  read.write = write
  return true
}

/** From now on, the messages that are read here go to another receiver of events. */
export function redirectEvents(
  receiver: Partial<WsReceiver> | null | undefined,
  events: ReaderEvents,
): void {
  const read = receiver as Partial<ReadReceiver> | null | undefined
  if (read?.[EVENTS]) read[EVENTS] = events
}

/** Whether messages of a receiver can be read here: each private member has the expected type. */
export function isReadable(
  receiver: Partial<WsReceiver> | null | undefined,
): receiver is WsReceiver {
  if (typeof receiver !== 'object' || receiver === null) return false
  const { _state, _bufferedBytes, _fragmented, _maxPayload, errored, writableEnded } = receiver
  return (
    [_state, _bufferedBytes, _fragmented].every(Number.isInteger) &&
    Number.isInteger(_maxPayload) &&
    (_maxPayload as number) > 0 &&
    errored === null &&
    writableEnded === false &&
    typeof Object.getPrototypeOf(receiver)?.write === 'function'
  )
}

function write(this: ReadReceiver, chunk: Buffer): boolean {
  const read = readMessages(this, chunk, chunk.length)
  return read === chunk.length || passToWs(this, read === 0 ? chunk : chunk.subarray(read))
}

/** Lets `ws` read what is not read here, and counts its frames. */
function passToWs(receiver: ReadReceiver, chunk: Buffer): boolean {
  const { [EVENTS]: events } = receiver
  receiver[COUNTER] ??= new FrameCounter()
  const { frames, bytes } = receiver[COUNTER].count(chunk)
  if (frames > 0) events.otherFrames?.(frames, bytes)
  const goesOn = leaveToWs(receiver, chunk)
  if (!isBetweenMessages(receiver)) events.arriving?.()
  return goesOn
}

/** Lets `ws` read the chunk. */
function leaveToWs(receiver: WsReceiver, chunk: Buffer): boolean {
  const { write } = Object.getPrototypeOf(receiver) as WsReceiver
  return write.call(receiver, chunk)
}

/**
 * Reads bytes that have come, before a receiver whose messages are read here gets them.
 *
 * @param size how much of the memory the bytes take. The memory is used again afterwards.
 * @returns how much of it was read; the rest is the receiver's.
 */
export function readMessages(receiver: WsReceiver, memory: Buffer, size: number): number {
  const read = receiver as ReadReceiver
  const begun = read[BEGUN]
  if (!begun) return readFrames(read, memory, 0, size)
  if (begun instanceof UnfinishedFrame) {
    const at = begun.take(memory, 0, size)
    if (!begun.isFinished) {
      read[EVENTS].arriving?.()
      return size
    }
    read[BEGUN] = undefined
    finish(read, begun)
    return readFrames(read, memory, at, size)
  }
  read[BEGUN] = undefined
  const joined = Buffer.concat([begun, memory.subarray(0, size)])
  const at = readFrames(read, joined, 0, joined.length)
  if (at < joined.length) passToWs(read, joined.subarray(at))
  return size
}

function isBetweenMessages(receiver: WsReceiver): boolean {
  const { _state, _bufferedBytes, _fragmented, errored, writableEnded } = receiver
  return _state === 0 && _bufferedBytes === 0 && _fragmented === 0 && !errored && !writableEnded
}

/** @returns the index up to which the memory was read. */
function readFrames(receiver: ReadReceiver, memory: Buffer, from: number, size: number): number {
  if (!isBetweenMessages(receiver)) return from
  const { [EVENTS]: events, [IS_MASKED]: isMasked, _maxPayload: most } = receiver
  // Without a limit, everything is left to `ws`.
  if (!(most > 0)) return from
  const keyBytes = isMasked ? 4 : 0
  let at = from
  while (at < size) {
    const first = memory[at]
    const isData = first === FINAL_TEXT || first === FINAL_BYTES
    if (!isData && first !== PING && first !== PONG) return at
    if (at + 2 > size) return begin(receiver, memory, at, size)
    const second = memory[at + 1] as number
    if (second >= MASKED !== isMasked) return at
    const short = second & ~MASKED
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8
    const begins = at + 2 + lengthBytes + keyBytes
    if (begins > size) return begin(receiver, memory, at, size)
    const length = lengthBytes === 0 ? short : lengthOf(memory, at + 2, lengthBytes)
    const ends = begins + length
    if (!isData) {
      if (ends > size) return at
      events.otherFrames?.(1, length)
      leaveToWs(receiver, Buffer.from(memory.subarray(at, ends)))
      if (!isBetweenMessages(receiver)) return ends
    } else if (length > most) return at
    else if (ends > size) {
      const unfinished = new UnfinishedFrame(Buffer.from(memory.subarray(at, begins)), length)
      unfinished.take(memory, begins, size)
      receiver[BEGUN] = unfinished
      events.arriving?.()
      return size
    } else if (first === FINAL_BYTES) {
      readBytes(receiver, new Uint8Array(memory.subarray(begins, ends)), memory, begins - keyBytes)
    } else if (!readText(receiver, memory, begins, ends, memory, begins - keyBytes)) return at
    at = ends
  }
  return at
}

/** Keeps the beginning of a header until the rest is there. */
function begin(receiver: ReadReceiver, memory: Buffer, at: number, size: number): number {
  receiver[BEGUN] = Buffer.from(memory.subarray(at, size))
  return size
}

function lengthOf(memory: Buffer, at: number, bytes: 2 | 8): number {
  return bytes === 2
    ? memory.readUInt16BE(at)
    : memory.readUInt32BE(at) * 2 ** 32 + memory.readUInt32BE(at + 4)
}

/** @param bytes bytes that belong to the reader from now on. */
function readBytes(
  { [EVENTS]: events, [IS_MASKED]: isMasked }: ReadReceiver,
  bytes: Uint8Array<ArrayBuffer>,
  keys: Buffer,
  key: number,
): void {
  if (isMasked) maskBytes(bytes, 0, bytes.length, keys, key)
  events.frame(bytes)
}

/**
 * @param key the index of the masking key in `keys`, if the text is masked.
 * @returns false if it may not be UTF-8, which `ws` then decides. Then the memory is unchanged.
 */
function readText(
  { [EVENTS]: events, [IS_MASKED]: isMasked }: ReadReceiver,
  memory: Buffer,
  from: number,
  to: number,
  keys: Buffer,
  key: number,
): boolean {
  if (isMasked) maskBytes(memory, from, to, keys, key)
  const text = memory.toString('utf8', from, to)
  if (text.includes(REPLACED)) {
    if (isMasked) maskBytes(memory, from, to, keys, key)
    return false
  }
  events.frame(text)
  return true
}

/** The frame is complete. */
function finish(receiver: ReadReceiver, { header, payload }: UnfinishedFrame): void {
  const key = header.length - 4
  if (header[0] === FINAL_BYTES) {
    readBytes(receiver, new Uint8Array(payload.buffer), header, key)
  } else if (!readText(receiver, payload, 0, payload.length, header, key)) {
    leaveToWs(receiver, header)
    leaveToWs(receiver, payload)
  }
}

/**
 * Reads bytes that have come, before the socket's stream gets them, in memory that is used again afterwards.
 *
 * @param size how much of the memory the bytes take.
 * @returns how much of it was read; the rest is the stream's.
 */
export type ReadFirst = (memory: Buffer, size: number) => number

/** The memory that all such connections read into, one after another. It has the size that Node gives to each read. */
const memory = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Connects to a TCP port, for `ws`. Bytes that come go first to the connection's `readFirst`, once it has one. The
 * bytes that it leaves go to the connection's stream. Otherwise each read would fill its own 64 KiB, and Node would
 * make a chunk of its stream and an event of it: if many sockets receive little each, that is a sixth of all work.
 */
export const connectDirectly = ((options: NetConnectOpts): Socket => {
  const callback = (size: number): boolean => {
    const { readFirst } = socket
    // Bytes that came before may still wait in the stream.
    const read = readFirst && socket.readableLength === 0 ? readFirst(memory, size) : 0
    return read === size || socket.push(Buffer.from(memory.subarray(read, size)))
  }
  const socket: Socket & { readFirst?: ReadFirst } = connect({
    ...options,
    // `ws` passes the path of the address, which would mean a socket in the file system.
    path: undefined,
    onread: { buffer: memory, callback },
  } as NetConnectOpts)
  return socket
  // The other forms of `createConnection` are not used.
}) as typeof createConnection
