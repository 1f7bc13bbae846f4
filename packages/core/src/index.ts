export {
  assertDuration,
  assertFunction,
  assertOptions,
  listOf,
  type OptionKind,
  type OptionKinds,
} from './assert-options.js'
export {
  type Audience,
  createAudience,
  createGroup,
  type Target,
  type TargetOutcome,
} from './channel/audience.js'
export { CALL_OPTIONS } from './channel/call-options.js'
export type { Timeout } from './channel/call-timer.js'
export {
  type AnyChannel,
  type Authorizer,
  type Channel,
  type CreateChannelOptions,
  type CreateServerChannelOptions,
  createChannel,
  SERVER_CHANNEL_OPTIONS,
  type ServerChannel,
} from './channel/channel.js'
export type { ErrorContext, ErrorPhase } from './channel/error-context.js'
export { EXPOSE_OPTIONS, type ExposeOptions } from './channel/exposed-handlers.js'
export type {
  CallOptions,
  Handler,
  HandlerContext,
  Handlers,
  ItemOf,
  MethodName,
  Other,
  ProgressOf,
  RemoteFunction,
  ResultOf,
  RpcStream,
  SendOptions,
  SomeHandlers,
  Source,
  StreamName,
} from './channel/functions.js'
export type { HeartbeatOptions } from './channel/heartbeat.js'
export type { ChannelHooks, OneOrMore } from './channel/hooks.js'
export type { ChannelLimits } from './channel/limits.js'
export { logFailure } from './channel/log-failure.js'
export { type Logger, type LoggerOption, log } from './channel/logger.js'
export type { Middleware, MiddlewareCall } from './channel/middleware.js'
export type { ChannelOptions } from './channel/options.js'
export type { AnyPeer, Peer } from './channel/peer.js'
export { type ToldError, toldError } from './channel/refusals.js'
export type {
  Inspection,
  Snapshot,
  TappedConnection,
  TappedWire,
  WireTap,
} from './channel/wire-tap.js'
export {
  type AnyClient,
  CLIENT_SETTINGS,
  type Client,
  type ClientOptions,
  type ClientSettings,
  type ClientTarget,
  createClient,
} from './client/client.js'
export type { Connect } from './client/reconnecting-transport.js'
export type { RetryOptions } from './client/retry.js'
export type { HeadersSource, SocketSettings, TlsSettings } from './client/socket.js'
export { type ClientState, type ClientStatus, IDLE_STATE } from './client/state.js'
export type { UrlSource } from './client/url.js'
export {
  type Contract,
  type ContractSide,
  type Definition,
  defineContract,
  type MethodDefinition,
  method,
  type NotificationDefinition,
  notification,
  type Schema,
  type Side,
  type StreamDefinition,
  stream,
} from './contract.js'
export { assertContract, contractAndOptions } from './contract-and-options.js'
export {
  ErrorCode,
  type Issue,
  type Outcome,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  type RpcErrorOptions,
  RpcOverloadedError,
  RpcProtocolError,
  RpcProxyError,
  RpcTimeoutError,
  RpcUncertainError,
  RpcValidationError,
} from './errors.js'
export { plain, plainLines, quoted } from './quoted.js'
export type { Dialect, DialectContext } from './transport/dialect.js'
export { memoryTransportPair } from './transport/memory.js'
export { messagePortTransport } from './transport/message-port.js'
export type { MessagePortLike, NodeWorkerLike, WorkerLike } from './transport/ports.js'
export type { CloseInfo, Transport, TransportEvents } from './transport/transport.js'
export { type WebSocketLike, webSocketTransport } from './transport/web-socket.js'
export { type ProcessDetails, utilityDefinitions } from './utilities.js'
export { type Codec, type Frame, type FrameType, jsonCodec } from './wire/codec.js'
