export type { ServerChannel } from './channels/channel.js'
export {
  type Authenticate,
  type AuthenticateContext,
  RejectUpgrade,
  type RejectUpgradeOptions,
} from './server/authentication.js'
export type { TrustProxy } from './server/client-address.js'
export type { ConnectionLimits } from './server/connection-limits.js'
export { createEndpoint } from './server/create-endpoint.js'
export type {
  AttachOptions,
  CloseOptions,
  ClusterEndpoint,
  ClusterOption,
  Endpoint,
  EndpointOf,
  EndpointOptions,
  Listening,
  ListenOptions,
} from './server/endpoint-types.js'
export type { ExpiresAt } from './server/expiry.js'
export type { IdempotencyOptions } from './server/idempotency.js'
export { RpcListenError } from './server/listen.js'
export {
  type MemoryResultStoreOptions,
  memoryResultStore,
} from './server/memory-result-store.js'
export type { PresenceOptions } from './server/presence-option.js'
export type { RemoteChannel } from './server/remote-channel.js'
export type { BegunCall, ResultStore } from './server/result-store.js'
export type { ResumeOptions } from './server/sessions.js'
export { type UtilityCall, type UtilityMethods, utilityMethods } from './server/utility-methods.js'
