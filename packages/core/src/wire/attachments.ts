import type { RpcError } from '../errors/errors.js'
import type { Frame } from './codec.js'
import type { Reading, Whole } from './reading.js'

/**
 * Carries values that JSON can't carry, in frames that follow the frame of their message. Without it, a message is one
 * frame. It is the part of a feature below the calls, one value for all channels.
 */
export interface Attachments {
  /** The members of a hello by which this side says that it takes such frames. */
  readonly hello: object
  /**
   * Makes JSON of a message that may hold such values.
   *
   * @throws {TypeError} naming the value that can't be carried.
   */
  encode(message: object): string | JsonMessage
  /** Makes the reader of one connection. */
  reader(): AttachmentReader
  /**
   * Puts attached frames in their places in a decoded message.
   *
   * @throws {TypeError} if they are not those that the message announces.
   */
  restore(decoded: unknown, frames: readonly Uint8Array[]): void
}

/** A message as JSON, with what must be known of it besides. */
export interface JsonMessage {
  readonly frame: string
  /** How many levels the message nests, without the member `rpc` of the protocol. */
  readonly depth: number
  readonly attached: Attached | undefined
}

/** The frames that follow the frame of one message. */
export interface Attached {
  /** They may change after the message was sent, unless they are copies: see {@link keep}. */
  readonly frames: readonly Uint8Array[]
  /** The sum of their sizes in bytes. */
  readonly size: number
  /** Keeps copies of the frames, for a message that is sent later, or again. {@link release} releases them. */
  keep(keeper: object): void
  /** Releases what `keep` kept. Without this call, it is kept for good. */
  release(keeper: object): void
  /** Sends the frame of the message, and these. @returns false if not all have left. */
  send(frame: Frame, writer: FrameWriter): boolean
  /** @returns the texts for a message to a side that does not take them, which may be a plain peer. */
  notTaken(isExtended: boolean): NotTaken
}

/** A connection, as the frames of one message are written to it. */
export interface FrameWriter {
  /** The transport, if it is one of this library's and nothing else sees its frames. */
  readonly direct: { sendTogether?(frames: readonly Frame[]): boolean } | undefined
  /** From now on until the end of the turn, frames leave together. */
  cork(): void
  /** @returns false if the frame has not left. */
  sendFrame(frame: Frame): boolean
  /** A function of the transport has thrown. */
  failed(thrown: unknown): void
}

/** Says why a message can't be sent to a side that does not take what is attached to it. */
export interface NotTaken {
  /** The error of a call. */
  ofCall(method: string): RpcError
  /** The text about the answer of a method. */
  ofAnswer(method: string): string
  /** The text about another message, such as an item of a stream. */
  readonly detail: string
}

/** Puts messages and the frames that follow them together, on one connection. */
export interface AttachmentReader {
  /** Whether a message has come whose frames are still awaited. */
  readonly isWaiting: boolean
  /** Whether both sides have said in their hello that they take such frames. */
  readonly isAgreed: boolean
  /** Reads the hello of the other side. @returns whether it takes such frames. */
  agree(hello: object): boolean
  /** Reads a frame of bytes, or one that came while frames were awaited. @returns undefined if it is a message. */
  take(frame: Frame): Reading | undefined
  /**
   * Reads a message.
   *
   * @param frame the frame that the message came in.
   * @param maxMessage the largest message that is accepted, with what is attached to it, in bytes.
   * @returns the message itself, unless it awaits frames or is wrong.
   */
  begin(whole: Whole, frame: Frame, maxMessage: number): Reading
  /** Drops a message that will never be complete. */
  discard(): void
}
