import type { CloseInfo } from '../transport/transport.js'
import type { Codec, Frame } from '../wire/codec.js'

/** Sits between a client and its connections, for developer tools: sees each frame, and may hold it back. */
export interface WireTap {
  /** A connection is there: the one there is when the tap is set, and each that comes, ahead of its hello. */
  connected(wire: TappedWire): TappedConnection
}

/** The two ends that a tap is put between. */
export interface TappedWire {
  /** Writes a frame. @returns false where it certainly did not leave. */
  send(frame: Frame): boolean
  /** Gives the client a frame. */
  receive(frame: Frame): void
  /** Ends the connection, as if it had been lost. */
  cut(reason: string): void
}

/** What passes through a tap, on one connection. */
export interface TappedConnection {
  /** The client writes a frame: hand it on with `wire.send`, now or later. @returns what that returns. */
  send(frame: Frame): boolean
  /** The server has sent a frame: hand it on with `wire.receive`, now or later, in order. */
  receive(frame: Frame): void
  /** The connection has ended, here or there. */
  ended(info: CloseInfo): void
}

/** A client that is looked into. */
export interface Inspection {
  /** What its frames are written in, but for the hello and its answer, which are JSON. */
  readonly codec: Codec
  /** Whether a message has a number in the session. */
  isCounted(message: unknown): boolean
  /** Where it stands now. */
  snapshot(): Snapshot
  /** Takes the tap away: what it holds back, it has to hand on before. */
  stop(): void
}

/** What a client's state does not tell. */
export interface Snapshot {
  /** Whether the server understands more than JSON-RPC 2.0; null while there is no connection. */
  readonly isExtended: boolean | null
  /** The session the two sides keep; null where they keep none. */
  readonly session: {
    readonly id: string
    /** Messages that this side has given a number. */
    readonly sent: number
    /** … of which the server has said that it dispatched so many. */
    readonly acknowledged: number
    /** … and so many bytes of the others are kept, text by its length. */
    readonly keptBytes: number
    /** Messages of the server that were dispatched here. */
    readonly received: number
  } | null
  /** Calls of the server that run here. */
  readonly running: number
  /** Calls and notifications that wait for a connection, or for room in the session. */
  readonly queued: number
  /** Bytes that wait in the transport to leave; null where that is not known. */
  readonly bufferedBytes: number | null
  /** The largest message the server accepts, in bytes; null where it has not said. */
  readonly peerMaxMessage: number | null
}
