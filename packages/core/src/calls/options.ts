import type { OptionKinds } from '../errors/assert-options.js'
import type { HeartbeatOptions } from '../link/heartbeat.js'
import type { KeepaliveOptions } from '../link/keepalive.js'
import type { ChannelLimits } from '../link/limits.js'
import type { LoggerOption } from '../logging/logger.js'
import type { Dialect } from '../transport/dialect.js'
import type { Codec, FrameType } from '../wire/codec.js'
import type { Format } from '../wire/format.js'
import type { TimeLimits, Timeout } from './call-timer.js'
import type { Discovery } from './discovery.js'
import type { AnyHandler } from './handler.js'
import type { Middleware } from './middleware-call.js'

/** What every channel takes, whichever side and wire it is for. */
export interface ChannelOptions {
  /**
   * How long a call waits for its answer, in ms, where it names no time of its own; `Infinity` waits for
   * ever, `{ idle, total }` bounds the time without a sign of life of the call. Default 30,000.
   */
  timeout?: Timeout
  /** Bounds of a channel; what is left out keeps its default. */
  limits?: Partial<ChannelLimits>
  /**
   * How to find out that the other side is dead; `false` never asks. Default: asks after 15 s of
   * silence and waits 10 s. Wires that can't stall (ports, memory) need none and have none.
   */
  heartbeat?: Partial<HeartbeatOptions> | false
  /**
   * Tell callers the message of an error that a handler threw without meaning to. Default false:
   * they learn that it failed, and `onError` here learns why. Stacks are never told.
   */
  exposeErrors?: boolean
  /**
   * Serves what has no handler of its own, by the name in its context: for gateways, recorders and other
   * programs that do not know what they will be called for. Not asked where there is a contract, which says
   * what there is. Default: answered −32601.
   */
  fallback?: AnyHandler
  /**
   * How long calls and notifications of the other side wait for a handler of their name to be exposed, in ms,
   * such as by a component that is about to mount. Default 0: answered −32601 at once.
   */
  waitForMount?: number
  /**
   * Answers who asks what can be called here (`rpc.discover`), such as `createDiscovery()` of
   * `@flashrpc/core/discovery`. Default: nobody is told; of an endpoint, see there.
   */
  discover?: Discovery
  /**
   * What surrounds calls in both directions, outermost first: logging, tracing, limits, other errors. Default:
   * nothing.
   */
  use?: Middleware | readonly Middleware[]
  /**
   * Whether the other side is known to speak plain JSON-RPC 2.0, without the extensions of docs/protocol.md. Then no
   * hello is sent, awaited or understood, and the channel is ready at once. Default false: a peer that answers the
   * hello with an error, or whose first message is not a hello, is served as a plain peer.
   */
  plain?: boolean
  /**
   * How long the handshake may take, in ms. A client whose hello is not answered by then ends the connection (4408). A
   * server treats a client that has said nothing by then as a plain peer, until it says hello. Default 10,000.
   */
  helloTimeoutMs?: number
  /**
   * Whether the stack of a call's error shows where the call was made, instead of where its answer was read. It costs
   * about 5 µs a call. Default: true with the export condition `development`, which Vite and webpack set while
   * developing, and `node --conditions=development` does; otherwise false.
   */
  traceCalls?: boolean
  /**
   * Where to log: `console`, or another {@link Logger} whose functions take a string (pino needs a wrapper, shown there);
   * `false`: nowhere. Default: warnings and errors go to the
   * console, each text once a second at most. In production (`process.env.NODE_ENV` is `production`), nowhere.
   */
  logger?: LoggerOption
  /**
   * What the other side speaks where it is not JSON-RPC 2.0, such as `pythonDialect()` of
   * `@flashrpc/core/python`. Default: JSON-RPC 2.0.
   */
  dialect?: Dialect
  /** How messages become frames; both sides have the same one. Default `jsonCodec`. */
  codec?: Codec
  /**
   * Whether the codec's text goes out in text frames, or as UTF-8 in binary ones; either is read.
   * What a binary codec makes goes out in binary frames anyway. Default `text`.
   */
  frameType?: FrameType
}

export const CHANNEL_OPTIONS = {
  timeout: 'elsewhere',
  limits: 'elsewhere',
  heartbeat: 'elsewhere',
  exposeErrors: 'boolean',
  fallback: 'function',
  waitForMount: 'elsewhere',
  discover: 'elsewhere',
  use: 'elsewhere',
  plain: 'boolean',
  helloTimeoutMs: 'elsewhere',
  traceCalls: 'boolean',
  logger: 'elsewhere',
  dialect: 'elsewhere',
  codec: 'elsewhere',
  frameType: 'elsewhere',
} as const satisfies OptionKinds<ChannelOptions>

/** The options with their defaults. */
export interface ResolvedChannelOptions extends KeepaliveOptions {
  readonly timeout: TimeLimits
  readonly exposeErrors: boolean
  readonly fallback: AnyHandler | undefined
  readonly waitForMount: number
  readonly discover: Discovery | undefined
  readonly use: readonly Middleware[] | undefined
  readonly traceCalls: boolean
  readonly dialect: Dialect | undefined
  readonly format: Format
  readonly plain: boolean
  readonly helloTimeoutMs: number
}
