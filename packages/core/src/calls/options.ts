import type { OptionKinds } from '../errors/options.js'
import type { ConnectionSettings } from '../link/connection.js'
import type { HeartbeatOptions } from '../link/heartbeat.js'
import type { ChannelLimits } from '../link/limits.js'
import type { LoggerOption } from '../logging/logger.js'
import type { Dialect } from '../transport/dialect.js'
import type { Codec, FrameType } from '../wire/codec.js'
import type { TimeLimits, Timeout } from './call-timer.js'
import type { Diagnostics } from './diagnostics.js'
import type { Discovery } from './discovery.js'
import type { AnyHandler } from './handler.js'
import type { Middleware } from './middleware-call.js'

/** The options of every channel, on either side and over any transport. */
export interface ChannelOptions {
  /**
   * How long a call waits for its answer, in ms, if it has no timeout of its own; `Infinity` waits for ever, `{ idle,
   * total }` also limits the time without a sign of life of the call. Default 30,000.
   */
  timeout?: Timeout
  /** The limits of a channel; a limit that is left out keeps its default. */
  limits?: Partial<ChannelLimits>
  /**
   * How to find out that the other side is dead; `false` never asks. Default: asks after 15 s of silence and waits 10 s
   * for an answer. Transports that can't stall (ports, memory) need no heartbeat and have none; nor has a client of
   * `@flashrpc/core/lite` without the feature `keepalive()`.
   */
  heartbeat?: Partial<HeartbeatOptions> | false
  /**
   * Whether callers get the message of an unexpected error that a handler threw. Default false: the caller learns that
   * the call failed, and `onError` on this side gets the reason. Stacks are never sent.
   */
  exposeErrors?: boolean
  /**
   * Serves calls that have no handler of their own; its context has their name. It is for gateways, recorders and other
   * programs that do not know the names in advance. It is not used if there is a contract, which lists the methods.
   * Default: such calls are answered with −32601.
   */
  fallback?: AnyHandler
  /**
   * How long calls and notifications of the other side wait until a handler of their name is exposed, in ms, such as by
   * a component that is about to mount. Default 0: calls are answered with −32601 at once.
   */
  waitForMount?: number
  /**
   * Answers the request `rpc.discover`, which asks for the methods that can be called here. Use `createDiscovery()` of
   * `@flashrpc/core/discovery`. Default: the request is refused; for an endpoint, see its own option.
   */
  discover?: Discovery
  /**
   * The middleware that surrounds calls in both directions, outermost first: for logging, tracing, limits, other
   * errors. Default: none.
   */
  use?: Middleware | readonly Middleware[]
  /**
   * Whether the other side is known to speak plain JSON-RPC 2.0, without the extensions of docs/protocol.md. If true,
   * no hello is sent, awaited or understood, and the channel is ready at once. Default false: the other side is served
   * as a plain peer if it answers the hello with an error, or if its first message is not a hello.
   */
  plain?: boolean
  /**
   * How long the handshake may take, in ms. If a client's hello is not answered by then, the client ends the connection
   * (4408). If a client has sent nothing by then, the server treats it as a plain peer, until it sends a hello. Default
   * 10,000.
   */
  helloTimeoutMs?: number
  /**
   * Whether the stack of a call's error shows where the call was made, instead of where its answer was read. It costs
   * about 5 µs a call. Default: true with the export condition `development`, which is set by Vite and webpack during
   * development, and by `node --conditions=development`; otherwise false.
   */
  traceCalls?: boolean
  /**
   * Where to log: `console`, or another `Logger` whose functions take a string (pino needs a wrapper, shown
   * there); `false`: nowhere. Default: warnings and errors go to the console, each text at most once a second. In
   * production (`process.env.NODE_ENV` is `production`), and without the feature `diagnostics()`, the default is
   * nowhere.
   */
  logger?: LoggerOption
  /**
   * The dialect of the other side, if it does not speak JSON-RPC 2.0, such as `pythonDialect()` of
   * `@flashrpc/core/python`. Default: JSON-RPC 2.0.
   */
  dialect?: Dialect
  /** Converts messages to frames, and frames to messages; both sides must have the same codec. Default `jsonCodec`. */
  codec?: Codec
  /**
   * Whether the codec's text is sent in text frames, or as UTF-8 in binary frames; both are read. A binary codec always
   * uses binary frames. Default `text`.
   */
  frameType?: FrameType
}

/** The options that features handle: some are set by what opens the channels, and not by the application. */
export interface OwnedOptions extends ChannelOptions {
  /** Answers `rpc.members`. Default: it is refused. */
  members?: AnyHandler | undefined
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
export interface ResolvedChannelOptions extends ConnectionSettings {
  readonly timeout: TimeLimits
  readonly exposeErrors: boolean
  readonly fallback: AnyHandler | undefined
  readonly waitForMount: number
  readonly discover: Discovery | undefined
  readonly members: AnyHandler | undefined
  readonly use: readonly Middleware[] | undefined
  readonly traceCalls: boolean
  /** Finds what the texts of errors add; undefined if there are no diagnostics. */
  readonly diagnostics: Diagnostics | undefined
  readonly dialect: Dialect | undefined
  readonly plain: boolean
  readonly helloTimeoutMs: number
}
