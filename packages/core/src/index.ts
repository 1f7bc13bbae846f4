export type { Timeout } from './calls/call-timer.js'
export type {
  Awaitable,
  CallArguments,
  CallableName,
  CallOptions,
  Handler,
  HandlerContext,
  HandlerParams,
  HandlerResult,
  Handlers,
  HandlersAt,
  HandlersByPath,
  IdentityOf,
  InputItem,
  InputOf,
  IsStream,
  ItemOf,
  MethodName,
  MethodOptions,
  Other,
  OutputOf,
  ProgressOf,
  ProgressOption,
  ProgressValue,
  RemoteFunction,
  RemoteMember,
  ResultOf,
  RpcStream,
  SendArguments,
  SendOptions,
  SomeHandlers,
  Source,
  StreamedInput,
  StreamName,
  WebStream,
} from './calls/functions.js'
export type { AnyHandler, ExposeOptions } from './calls/handler.js'
export type { ChannelHooks, OneOrMore } from './calls/hooks.js'
export type { Implementable } from './calls/implementable.js'
export type { GroupMember } from './calls/members.js'
export type { Meta, Middleware, MiddlewareCall } from './calls/middleware-call.js'
export type { ChannelOptions } from './calls/options.js'
export type { AnyPeer, Peer } from './calls/peer.js'
export {
  type Audience,
  createAudience,
  createGroup,
  type Target,
  type TargetOutcome,
} from './channels/audience.js'
export type {
  AnyChannel,
  Authorizer,
  Channel,
  CreateChannelOptions,
  CreateServerChannelOptions,
  ServerChannel,
} from './channels/channel.js'
export { createChannel } from './channels/create-channel.js'
export type { JoinOptions } from './channels/groups.js'
export type {
  AnyClient,
  Client,
  ClientOptions,
} from './client/client.js'
export type { ClientSettings, ClientTarget } from './client/client-options.js'
export type { ClientSocket } from './client/client-socket.js'
export { createClient } from './client/create-client.js'
export type { RetryOptions } from './client/dial/backoff.js'
export type { HeadersSource, SocketSettings, TlsSettings } from './client/dial/socket.js'
export type { Connect } from './client/dial/transport-dialer.js'
export type { UrlSource } from './client/dial/url.js'
export type { Share } from './client/share.js'
export type { ClientState, ClientStatus } from './client/state.js'
export {
  type Contract,
  type ContractSide,
  type Definition,
  defineContract,
  type MaybeSchema,
  type MethodDefinition,
  method,
  type NotificationDefinition,
  notification,
  type PartOf,
  type Schema,
  type Side,
  type StreamDefinition,
  stream,
} from './contract/contract.js'
export type { At, GroupOf, Name, Path } from './contract/path.js'
export {
  type CallMeBackParams,
  type EchoParams,
  type ProcessDetails,
  utilityDefinitions,
} from './contract/utilities.js'
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
} from './errors/errors.js'
export { under } from './features/middleware/under.js'
export type { HeartbeatOptions } from './link/heartbeat.js'
export type { ChannelLimits } from './link/limits.js'
export type {
  Inspection,
  Snapshot,
  TappedConnection,
  TappedWire,
  WireTap,
} from './link/wire-tap.js'
export type { ErrorContext, ErrorPhase } from './logging/error-context.js'
export type { Logger, LoggerOption } from './logging/logger.js'
export type { PresenceOptions } from './server/presence-option.js'
export type { Dialect, DialectContext, DialectTransport } from './transport/dialect.js'
export { memoryTransportPair } from './transport/memory.js'
export { messagePortTransport } from './transport/message-port.js'
export type { MessagePortLike, NodeWorkerLike, WorkerLike } from './transport/ports.js'
export type { CloseInfo, Transport, TransportEvents } from './transport/transport.js'
export {
  type UnsharedBytes,
  type WebSocketLike,
  webSocketTransport,
} from './transport/web-socket.js'
export { type Codec, type Frame, type FrameType, jsonCodec } from './wire/codec.js'
export type { MessageId } from './wire/message.js'
