import type { Definition } from '../contract/contract.js'
import type { Connection } from '../link/connection.js'
import type { Handshake } from '../link/handshake.js'
import type { HelloParams } from '../link/hello.js'
import type { Hello, MessageLink } from '../link/message-link.js'
import type { Inspection, WireTap } from '../link/wire-tap.js'
import type { Transport } from '../transport/transport.js'
import type { ErrorMessage, MessageId } from '../wire/message.js'
import type { CallContext } from './call-context.js'
import type { CallTrace } from './call-trace.js'
import type { ChannelContext } from './channel-context.js'
import type { RpcStream, SendOptions } from './functions.js'
import type { AnyHandler } from './handler.js'
import type { Incoming } from './incoming.js'
import type { AnswerKeyed } from './keyed-call.js'
import type { ChannelOptions, ResolvedChannelOptions } from './options.js'
import type { CallKind, PendingCall } from './pending-call.js'

/** Features, by the names of the functions that make them. */
export type FeatureName =
  | 'bytes'
  | 'deadlines'
  | 'discovery'
  | 'drain'
  | 'keys'
  | 'middleware'
  | 'presence'
  | 'progress'
  | 'sessions'
  | 'streams'
  | 'tap'

/**
 * What a channel can do besides calling and answering. A feature is one value for all channels: what it keeps for one
 * channel is kept by `ChannelContext.stateOf`. A call that does not use a feature runs no function of it.
 */
export interface Feature {
  readonly name: FeatureName
  /** Options of calls that it takes, by their names. */
  readonly callOptions?: Readonly<Record<string, CallOption>>
  /** Members of a request's `rpc` that it takes, by their names. */
  readonly extras?: Readonly<Record<string, RequestExtra>>
  /** Control messages that it owns, by their methods. */
  readonly controls?: Readonly<Record<string, Control>>
  /** Requests of the protocol's own that it answers, by their methods. */
  readonly requests?: Readonly<Record<string, OwnRequest>>
  /** @returns the feature for a server that keeps results by key, with what answers calls that have one. */
  answering?(answer: AnswerKeyed): Feature
  /** Checks options of channels that it takes. @throws {RpcConfigError} naming the option that is wrong. */
  resolve?(options: ChannelOptions): Partial<ResolvedChannelOptions>
  /** Makes a stream: a call that is answered with items. */
  stream?(channel: ChannelContext, sender: CallSender, call: StreamCall): RpcStream<unknown>
  /** Surrounds calls, if the options say so. */
  readonly around?: Around
  /** Bounds calls by the time that is left to whoever they are made for. */
  readonly deadlines?: Deadlines
  /** Has the other side show signs of life of a call that ends without any. */
  showSigns?(channel: ChannelContext, call: PendingCall): void
  /** Lets calls wait for a handler of their method. */
  readonly mounts?: Mounts
  /** What a client's hello says besides. */
  hello?(channel: ChannelContext): Partial<HelloParams>
  /** A link is ready. @param hello what the other side has said of itself; undefined if it is a plain peer. */
  ready?(channel: ChannelContext, hello: Hello | undefined): void
  /** The methods that have a handler here have changed. */
  handlersChanged?(channel: ChannelContext): void
  /** Client: makes the link that goes on over many connections. */
  keepLink?(channel: ChannelContext, features: FeatureTable): KeptLink
  /**
   * Server: makes the link that goes on over many connections, and begins on this one.
   *
   * @param sid the name both sides know it by.
   * @param peerBytes how much the client keeps, in bytes; undefined if it has not said.
   */
  beginLink?(
    channel: ChannelContext,
    features: FeatureTable,
    connection: Connection,
    sid: string,
    peerBytes: number | undefined,
  ): ResumableLink
  /** Has all that the connections of a channel carry pass through a tap, in place of an earlier one. */
  tap?(channel: TappableChannel, features: FeatureTable, tap: WireTap): Inspection
  /** Server: tells the other side that this one leaves. */
  leave?(channel: ChannelContext, retryAfterMs: number | undefined): void
}

/** An option of calls. */
export interface CallOption {
  /** Checks it, before the call is opened. @throws {RpcConfigError} if it is wrong. */
  check?(request: CallRequest): void
  /** The call was opened. */
  open?(channel: ChannelContext, call: PendingCall, value: never): void
  /** The call is not opened, or never begun. */
  release?(channel: ChannelContext, request: CallRequest): void
  /** Checks a call without the option. @throws {RpcConfigError} if it needs the option. */
  missing?(method: string, definition: Definition): void
}

/** A call that is about to be opened, and the value of one of its options. */
export interface CallRequest {
  readonly method: string
  readonly kind: CallKind
  /** What the contract says of its method. */
  readonly definition: Definition | undefined
  readonly options: SendOptions
  readonly value: unknown
}

/** A member of a request's `rpc`, as the side that serves the request takes it. */
export interface RequestExtra {
  /** Whether notifications have it, too. Otherwise it is ignored in these. */
  readonly isForNotifications?: boolean
  /** @returns what is wrong with it; undefined if nothing is. */
  whyWrong?(value: unknown, request: ReceivedRequest): string | undefined
  /** @returns the answer of a call that must not begin; undefined if it may. */
  refuse?(value: unknown, request: ReceivedRequest): ErrorMessage | undefined
  /** The call begins. */
  take?(channel: ChannelContext, context: CallContext, value: unknown, incoming: Incoming): void
}

/** A request that came in. */
export interface ReceivedRequest extends Incoming {
  readonly id: MessageId
}

/** A control message: a notification of the protocol's own. */
export interface Control {
  /** Whether sessions count it. */
  readonly isCounted: boolean
  /**
   * Takes one.
   *
   * @param bytes how much it came as, text by its length.
   * @returns how it breaks the protocol; undefined if it does not.
   */
  receive(channel: ChannelContext, params: unknown, bytes: number): string | undefined
  /** One was refused for this reason. @returns false if its sender must be answered with an error. */
  refused?(channel: ChannelContext, params: unknown, why: string): boolean
}

/**
 * Answers a request of the protocol's own.
 *
 * @param mayCall says whether this caller may call a method.
 * @returns what runs.
 * @throws {RpcError} what the caller is told.
 */
export type OwnRequest = (
  channel: ChannelContext,
  context: CallContext,
  names: Iterable<string>,
  mayCall: (name: string) => boolean | Promise<boolean>,
) => Promise<AnyHandler>

/** What sends calls. */
export interface CallSender {
  open(
    method: string,
    options: SendOptions,
    kind: CallKind,
    trace: CallTrace | undefined,
  ): PendingCall
  /** Sends a call through what surrounds it. @returns what comes of it. */
  pass(
    call: PendingCall,
    params: unknown,
    options: SendOptions,
    send: () => Promise<unknown>,
  ): Promise<unknown>
  request(call: PendingCall, params: unknown): void
  /** Tells what was given for a call that it is not made. */
  release(method: string, options: SendOptions, kind: CallKind): void
}

/** A stream that is asked for. */
export interface StreamCall {
  readonly method: string
  readonly params: unknown
  readonly options: SendOptions
  readonly trace: CallTrace | undefined
}

/** What surrounds calls. */
export interface Around {
  /** Sends a call. */
  depart(channel: ChannelContext, departure: Departure): Promise<unknown>
  /** Serves a call, which has `context`. @param told makes the error that the caller is told of what was thrown. */
  arrive(
    channel: ChannelContext,
    context: CallContext,
    params: unknown,
    serve: () => Promise<unknown>,
    told: (thrown: unknown) => Error,
  ): Promise<unknown>
}

/** A call of this side on its way to what surrounds it. */
export interface Departure {
  readonly call: PendingCall
  readonly params: unknown
  /** What the caller gave it. */
  readonly signal: AbortSignal | undefined
  /** Whether it has not ended. */
  isOpen(): boolean
  /** Sends it, and waits for what comes of it. */
  send(): Promise<unknown>
  /** Ends it, as it is not sent. */
  drop(): void
  /** Ends it with an error. */
  fail(error: Error): void
}

/** The deadlines of calls. */
export interface Deadlines {
  /** When the giver of a signal stops to wait, by `performance.now()`; `Infinity` if that is not known. */
  of(signal: AbortSignal | undefined): number
  /** Has the other side told when a call is to have ended. */
  tell(call: PendingCall, at: number): void
}

/** Handlers that calls wait for. */
export interface Mounts {
  /** Resolves when a handler has come, so many ms have passed or the signal has aborted. */
  wait(channel: ChannelContext, method: string, ms: number, signal: AbortSignal): Promise<void>
  /** A handler has come. */
  mounted(channel: ChannelContext, method: string): void
}

/** A client's link that goes on over many connections. */
export interface KeptLink {
  /** What the hello on this transport offers; `buf` is how much is kept, in bytes. */
  offer(transport: Transport): Pick<HelloParams, 'resume'> & { readonly buf?: number }
  /**
   * A connection is ready, and the link goes on over it, or another link begins.
   *
   * @returns false if messages go over the connection itself.
   */
  goOn(connection: MessageLink, hello: Hello | undefined, isFirst: boolean): boolean
}

/** A server's link that goes on over many connections. */
export interface ResumableLink extends MessageLink {
  /**
   * Goes on over another connection, in place of the one before, of which nothing is heard any more.
   *
   * @param recv how many messages of this side the client has dispatched.
   * @param handshake that of the channel whose link it is.
   * @returns false if the client can't have come so far; then nothing has changed.
   */
  resume(connection: Connection, recv: unknown, handshake: Handshake): boolean
}

/** A channel that developer tools look into. */
export interface TappableChannel extends ChannelContext {
  readonly connection: Connection | undefined
  readonly running: number
  readonly queued: number
  /** The tap that is set. */
  readonly tapped: WireTap | undefined
  tap(tap: WireTap | undefined): void
}

/** The features of a channel, by what they own. One table serves all channels that are made alike. */
export interface FeatureTable {
  readonly all: readonly Feature[]
  /** The one owner of each control message. */
  readonly controls: ReadonlyMap<string, Control>
  readonly callOptions: ReadonlyMap<string, CallOption>
  /** Options that some calls need. */
  readonly neededOptions: readonly (readonly [name: string, missing: NeededOption])[]
  readonly extras: ReadonlyMap<string, RequestExtra>
  readonly requests: ReadonlyMap<string, OwnRequest>
  readonly stream: Feature['stream']
  readonly around: Around | undefined
  readonly deadlines: Deadlines | undefined
  readonly showSigns: Feature['showSigns']
  readonly mounts: Mounts | undefined
  has(name: FeatureName): boolean
  /** Whether a session counts a control message: all but those that are known and say that it does not. */
  isCounted(method: string): boolean
}

/** Checks a call without an option. */
export type NeededOption = NonNullable<CallOption['missing']>
