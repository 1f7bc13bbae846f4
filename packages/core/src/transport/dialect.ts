import type { FrameType } from '../wire/codec.js'
import type { Transport } from './transport.js'

/** What a dialect is told of the channel that it speaks for. */
export interface DialectContext {
  readonly side: 'server' | 'client'
  /** The channel's `id`. */
  readonly channelId: string
  /** The largest frame the channel accepts, in bytes. */
  readonly maxMessage: number
  /** The frames that the channel is to write its JSON in. */
  readonly frameType: FrameType
  /** Told of what went wrong that no answer tells anybody about: the channel's `onError`. */
  error(error: unknown): void
}

/** What a dialect makes of a transport. */
export interface DialectTransport extends Transport {
  /**
   * The name of the dialect that the other side speaks; undefined while that is not known, and if it speaks
   * JSON-RPC 2.0. Default: undefined.
   */
  readonly dialect?: string | undefined
}

/**
 * Another way to say the same: it translates between the channel's JSON-RPC 2.0 and what the other
 * side speaks. `pythonDialect()` of `@flashrpc/core/python` is one.
 */
export interface Dialect {
  /** How it is called in messages. */
  readonly name: string
  /** @returns a transport that speaks JSON-RPC 2.0 to the channel and the dialect to the other side. */
  wrap(transport: Transport, context: DialectContext): DialectTransport
}
