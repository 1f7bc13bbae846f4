import type { FrameType } from '../wire/codec.js'
import type { Transport } from './transport.js'

/** The facts of its channel that a dialect gets. */
export interface DialectContext {
  /** The side of the contract that the channel is. */
  readonly side: 'server' | 'client'
  /** The channel's `id`. */
  readonly channelId: string
  /** The largest frame the channel accepts, in bytes. */
  readonly maxMessage: number
  /** The frames that the channel is to write its JSON in. */
  readonly frameType: FrameType
  /** Reports an error that no answer tells the other side about: calls the channel's `onError`. */
  error(error: unknown): void
}

/** A transport that a dialect has made. */
export interface DialectTransport extends Transport {
  /**
   * The name of the dialect that the other side speaks; undefined while that is not known, and if it speaks
   * JSON-RPC 2.0. Default: undefined.
   */
  readonly dialect?: string | undefined
}

/**
 * Another protocol: it translates between the channel's JSON-RPC 2.0 and the protocol of the other side.
 * `pythonDialect()` of `@flashrpc/core/python` is one.
 */
export interface Dialect {
  /** The name of the dialect in messages. */
  readonly name: string
  /** @returns a transport that speaks JSON-RPC 2.0 to the channel and the dialect to the other side. */
  wrap(transport: Transport, context: DialectContext): DialectTransport
}
