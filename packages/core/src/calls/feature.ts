import type { MaybeAsync } from '../base/maybe-async.js'
import type { Contract, Definition, Part } from '../contract/contract.js'
import type { RpcError } from '../errors/errors.js'
import type { NearestName } from '../errors/nearest.js'
import type { Connection } from '../link/connection.js'
import type { HelloParams } from '../link/hello.js'
import type { Hello, MessageLink } from '../link/message-link.js'
import type { Inspection, WireTap } from '../link/wire-tap.js'
import type { Transport } from '../transport/transport.js'
import type { Attachments } from '../wire/attachments.js'
import type { ErrorMessage, MessageId, ResponseMessage } from '../wire/message.js'
import type { CallContext } from './call-context.js'
import type { ChannelContext, MethodsThere } from './channel-context.js'
import type { CallTrace, Diagnostics } from './diagnostics.js'
import type { RpcStream, SendOptions } from './functions.js'
import type { AnyHandler } from './handler.js'
import type { Incoming } from './incoming.js'
import type { OwnedOptions, ResolvedChannelOptions } from './options.js'
import type { CallKind, PendingCall } from './pending-call.js'
import type { ErrorForCaller } from './refusals.js'

/** The names of the features, which are also the names of the functions that make them. */
export type FeatureName =
  | 'bytes'
  | 'deadlines'
  | 'diagnostics'
  | 'discovery'
  | 'drain'
  | 'keepalive'
  | 'keys'
  | 'members'
  | 'middleware'
  | 'presence'
  | 'progress'
  | 'sessions'
  | 'streams'
  | 'tap'

/**
 * What a channel can do besides calling and answering. A feature is one value for all channels: its state for one
 * channel is kept by `ChannelContext.stateOf`. A call that does not use a feature runs no function of it.
 */
export interface Feature {
  /** The name of the feature; `cluster` of those that only the channels of a cluster have. */
  readonly name: FeatureName | 'cluster'
  /** The options of calls that the feature handles, by their names. */
  readonly callOptions?: Readonly<Record<string, CallOption>>
  /** The members of a request's `rpc` that the feature handles, by their names. */
  readonly extras?: Readonly<Record<string, RequestExtra>>
  /** The control messages that the feature handles, by their methods. */
  readonly controls?: Readonly<Record<string, Control>>
  /** The requests of the protocol's own that the feature answers, by their methods. */
  readonly requests?: Readonly<Record<string, OwnRequest>>
  /** Carries values that JSON can't carry, in frames that follow the frame of their message. */
  readonly attachments?: Attachments
  /**
   * Checks the options of channels that the feature handles. @throws {RpcConfigError} if an option is wrong; it names
   * it.
   *
   * @param nearest finds the option that was probably meant; without it, an error lists the options.
   */
  resolve?(
    options: OwnedOptions,
    nearest: NearestName | undefined,
    contract: Contract | undefined,
  ): Partial<ResolvedChannelOptions>
  /** Finds what the texts of errors add to what is wrong. */
  readonly diagnostics?: Diagnostics
  /** Makes a stream: a call that is answered with items. */
  stream?(channel: ChannelContext, sender: CallSender, call: StreamCall): RpcStream<unknown>
  /** Surrounds calls, if the options ask for it. */
  readonly around?: Around
  /** Limits a call by the time that is left to the call that it is made for. */
  readonly deadlines?: Deadlines
  /** Asks the other side for signs of life of a call that would otherwise have none before its answer. */
  showSigns?(channel: ChannelContext, call: PendingCall): void
  /** Lets calls wait for a handler of their method. */
  readonly mounts?: Mounts
  /** Members that the feature adds to a client's hello. */
  hello?(channel: ChannelContext): Partial<HelloParams>
  /** A link is ready. @param hello the hello of the other side; undefined if it is a plain peer. */
  ready?(channel: ChannelContext, hello: Hello | undefined): void
  /** Server: the methods that have a handler on the other side, as the other side tells. */
  methodsThere?(channel: ChannelContext): MethodsThere
  /** Called when the set of methods that have a handler here has changed. */
  handlersChanged?(channel: ChannelContext): void
  /** Client: makes the link that continues over several connections. */
  keepLink?(channel: ChannelContext, features: FeatureTable): KeptLink
  /**
   * Server: makes the link that continues over several connections, and begins on this one.
   *
   * @param sid the name by which both sides know the link.
   * @param peerBytes how much the client keeps, in bytes; undefined if its hello does not tell it.
   */
  beginLink?(
    channel: ChannelContext,
    features: FeatureTable,
    connection: Connection,
    sid: string,
    peerBytes: number | undefined,
  ): ResumableLink
  /** Makes everything that the connections of a channel carry pass through a tap, which replaces an earlier tap. */
  tap?(channel: TappableChannel, features: FeatureTable, tap: WireTap): Inspection
  /** Server: tells the other side that this side is leaving. */
  leave?(channel: ChannelContext, retryAfterMs: number | undefined): void
}

/** An option of a call. */
export interface CallOption {
  /** Checks the option, before the call is opened. @throws {RpcConfigError} if it is wrong. */
  check?(request: CallRequest): void
  /** Called when the call was opened. */
  open?(channel: ChannelContext, call: PendingCall, value: never): void
  /** Called if the call is not opened, or is never sent. */
  release?(channel: ChannelContext, request: CallRequest): void
  /** The part of a definition that makes the option necessary, and the error of a call without it. */
  readonly neededFor?: { readonly part: Part; error(method: string): RpcError }
}

/** A call that is about to be opened, with the value of one of its options. */
export interface CallRequest {
  readonly method: string
  readonly kind: CallKind
  /** The definition of its method in the contract. */
  readonly definition: Definition | undefined
  readonly options: SendOptions
  readonly value: unknown
}

/** A member of a request's `rpc`, handled on the side that serves the request. */
export interface RequestExtra {
  /** Whether it also applies to notifications. Otherwise it is ignored there. */
  readonly isForNotifications?: boolean
  /** @returns what is wrong with the member; undefined if it is right. */
  whyWrong?(value: unknown, request: ReceivedRequest): string | undefined
  /** @returns the answer, if the call must not begin; undefined if it may. */
  refuse?(value: unknown, request: ReceivedRequest): ErrorMessage | undefined
  /** Called when the call begins. */
  take?(channel: ChannelContext, context: CallContext, value: unknown, incoming: Incoming): void
}

/** A request that has arrived. */
export interface ReceivedRequest extends Incoming {
  readonly id: MessageId
}

/** A control message: a notification of the protocol's own. */
export interface Control {
  /** Whether it has a sequence number in a session. */
  readonly isCounted: boolean
  /**
   * Handles a message of this kind.
   *
   * @param bytes the size of the message in bytes, text by its length.
   * @returns how the message breaks the protocol; undefined if it does not.
   */
  receive(channel: ChannelContext, params: unknown, bytes: number): string | undefined
  /**
   * A message of this kind was refused, for this reason. @returns false if its sender must be answered with an error.
   */
  refused?(channel: ChannelContext, params: unknown, why: string): boolean
}

/** A request of the protocol's own. */
export interface OwnRequest {
  /** Whether it is answered with one result, or with items. */
  readonly kind: 'method' | 'stream'
  /**
   * Finds what answers it.
   *
   * @param names the names of the methods of this side.
   * @param mayCall returns whether this caller may call a method.
   * @returns the handler to run.
   * @throws {RpcError} the error for the caller.
   */
  handler(
    channel: ChannelContext,
    names: Iterable<string>,
    mayCall: (name: string) => boolean | Promise<boolean>,
  ): Promise<AnyHandler>
}

/** Sends calls. */
export interface CallSender {
  open(
    method: string,
    options: SendOptions,
    kind: CallKind,
    trace: CallTrace | undefined,
  ): PendingCall
  /** Sends a call through the middleware. @returns the outcome of the middleware. */
  pass(
    call: PendingCall,
    params: unknown,
    options: SendOptions,
    send: () => Promise<unknown>,
  ): Promise<unknown>
  /** @returns the promise of the call, which the call does not keep after its end. */
  request(call: PendingCall, params: unknown): Promise<unknown>
  /** Releases the options of a call that is not made. */
  release(method: string, options: SendOptions, kind: CallKind): void
}

/** The call of a stream. */
export interface StreamCall {
  readonly method: string
  readonly params: unknown
  readonly options: SendOptions
  readonly trace: CallTrace | undefined
}

/** Surrounds calls in both directions, as middleware does. */
export interface Around {
  /** Sends a call. */
  send(channel: ChannelContext, call: SurroundedCall): Promise<unknown>
  /** Serves a request, which has `context`. @returns its answer. @throws the reason why it has no result. */
  serve(
    channel: ChannelContext,
    context: CallContext,
    params: unknown,
    request: SurroundedRequest,
  ): Promise<ResponseMessage>
  /** Runs a notification, which has `context`. @throws the reason why it was dropped, or has failed. */
  runNotification(
    channel: ChannelContext,
    context: CallContext,
    params: unknown,
    notification: SurroundedNotification,
  ): Promise<unknown>
}

/** A request, as what surrounds it serves it. */
export interface SurroundedRequest {
  /** Serves it. @returns its answer. @throws the reason why it has no result. */
  serve(): MaybeAsync<ResponseMessage>
  /** Makes an answer of a result. @throws {RpcError} if the result is a stream, and the call is not. */
  answer(result: unknown): ResponseMessage
  /** The error for the caller, if a handler threw something that was not meant for the caller. */
  failure(thrown: unknown): ErrorForCaller
}

/** A notification, as what surrounds it runs it. */
export interface SurroundedNotification {
  /** Runs it. @throws the reason why it was dropped, or has failed. */
  run(): MaybeAsync<unknown>
  /** The error that middleware gets, if a handler threw something that was not meant for the other side. */
  failure(thrown: unknown): ErrorForCaller
}

/** A call of this side that goes through middleware. */
export interface SurroundedCall {
  readonly call: PendingCall
  readonly params: unknown
  /** The signal that the caller gave. */
  readonly signal: AbortSignal | undefined
  /** Whether the call has not ended. */
  isOpen(): boolean
  /** Sends the call, and waits until it ends. */
  send(): Promise<unknown>
  /** Ends the call without an error, if it is not sent. */
  drop(): void
  /** Ends the call with an error. */
  fail(error: Error): void
}

/** The deadlines of calls. */
export interface Deadlines {
  /**
   * The time at which the caller that gave this signal stops waiting, by `performance.now()`; `Infinity` if it is not
   * known.
   */
  of(signal: AbortSignal | undefined): number
  /** Sends the deadline of a call to the other side. */
  tell(call: PendingCall, at: number): void
}

/** Lets calls wait for handlers. */
export interface Mounts {
  /** Resolves when a handler was exposed, when `ms` ms have passed, or when the signal has aborted. */
  wait(channel: ChannelContext, method: string, ms: number, signal: AbortSignal): Promise<void>
  /** A handler was exposed. */
  mounted(channel: ChannelContext, method: string): void
}

/** A client's link that continues over several connections. */
export interface KeptLink {
  /** The offer of a session in the hello on this transport; `buf` is how much this side keeps, in bytes. */
  offer(transport: Transport): Pick<HelloParams, 'resume'> & { readonly buf?: number }
  /**
   * A connection is ready: the link continues over it, or another link begins.
   *
   * @returns false if messages go over the connection itself.
   */
  goOn(connection: MessageLink, hello: Hello | undefined, isFirst: boolean): boolean
}

/** A server's link that continues over several connections. */
export interface ResumableLink extends MessageLink {
  /**
   * Continues over another connection. The connection before is replaced, and its messages are ignored.
   *
   * @param recv how many messages of this side the client has dispatched.
   * @returns false if `recv` is impossible; then nothing has changed.
   */
  resume(connection: Connection, recv: unknown): boolean
}

/** A channel that developer tools inspect. */
export interface TappableChannel extends ChannelContext {
  readonly connection: Connection | undefined
  readonly running: number
  readonly queued: number
  /** The current tap. */
  readonly tapped: WireTap | undefined
  tap(tap: WireTap | undefined): void
}

/** The features of a channel, and tables of what they handle. One table serves all channels with the same options. */
export interface FeatureTable {
  readonly all: readonly Feature[]
  /** The handler of each control message. */
  readonly controls: ReadonlyMap<string, Control>
  readonly callOptions: ReadonlyMap<string, CallOption>
  /** The options that some calls must have. */
  readonly neededOptions: readonly NeededOption[]
  readonly extras: ReadonlyMap<string, RequestExtra>
  readonly requests: ReadonlyMap<string, OwnRequest>
  readonly stream: Feature['stream']
  readonly around: Around | undefined
  readonly deadlines: Deadlines | undefined
  readonly showSigns: Feature['showSigns']
  readonly mounts: Mounts | undefined
  readonly methodsThere: Feature['methodsThere']
  /**
   * Whether a control message has a sequence number in a session: all have one, except those whose feature says
   * otherwise.
   */
  isCounted(method: string): boolean
}

/** An option that is needed for methods that have a part in the contract. */
export interface NeededOption {
  readonly name: string
  readonly part: Part
  error(method: string): RpcError
}
