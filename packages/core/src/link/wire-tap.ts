import type { CloseInfo } from '../transport/transport.js'
import type { Codec, Frame } from '../wire/codec.js'

/** A tap between a client and its connections, for developer tools: it gets each frame, and may delay it. */
export interface WireTap {
  /** Called for the connection that exists when the tap is set, and for each later one, before its hello. */
  connected(wire: TappedWire): TappedConnection
}

/** The two ends that a tap is put between. */
export interface TappedWire {
  /** Writes a frame. @returns false if it certainly did not leave. */
  send(frame: Frame): boolean
  /** Passes a frame to the client. */
  receive(frame: Frame): void
  /** Ends the connection, as if it had been lost. */
  cut(reason: string): void
}

/** The tap of one connection. */
export interface TappedConnection {
  /** The client writes a frame: pass it on with `wire.send`, now or later. @returns the result of `wire.send`. */
  send(frame: Frame): boolean
  /** The server has sent a frame: pass it on with `wire.receive`, now or later, in order. */
  receive(frame: Frame): void
  /** The connection has ended, here or there. */
  ended(info: CloseInfo): void
}

/** A client that is inspected. */
export interface Inspection {
  /** The codec of its frames. The hello and its answer are always JSON. */
  readonly codec: Codec
  /** Whether a message has a number in the session. */
  isCounted(message: unknown): boolean
  /** The present state. */
  snapshot(): Snapshot
  /** Removes the tap. The tap must pass on the frames that it has delayed before this is called. */
  stop(): void
}

/** Facts of a client that are not part of its state. */
export interface Snapshot {
  /** Whether the server understands more than JSON-RPC 2.0; null while there is no connection. */
  readonly isExtended: boolean | null
  /** The session that the two sides keep; null if they keep none. */
  readonly session: {
    /** The id of the session. */
    readonly id: string
    /** Messages that this side has given a number. */
    readonly sent: number
    /** The number of them that the server has acknowledged as dispatched. */
    readonly acknowledged: number
    /** The number of bytes of the others, which are kept; text by its length. */
    readonly keptBytes: number
    /** Messages of the server that were dispatched here. */
    readonly received: number
  } | null
  /** Calls of the server that run here. */
  readonly running: number
  /** Calls and notifications that wait for a connection, or for room in the session. */
  readonly queued: number
  /** Bytes that wait in the transport to be sent; null if that is not known. */
  readonly bufferedBytes: number | null
  /** The largest message that the server accepts, in bytes; null if it is not known. */
  readonly peerMaxMessage: number | null
}
