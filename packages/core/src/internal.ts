// What the other packages of flashrpc share with core. Not for applications: there is no promise across versions.
export { MAX_TIMER_MS } from './base/max-timer.js'
export { CALL_OPTIONS } from './calls/call-options.js'
export { EXPOSE_OPTIONS } from './calls/handler.js'
export type { MembersItem } from './calls/members.js'
export { type ErrorForCaller, errorForCaller } from './calls/refusals.js'
export { assertGroup } from './channels/groups.js'
export { SERVER_CHANNEL_OPTIONS } from './channels/open-channel.js'
export { CLIENT_SETTINGS } from './client/client-options.js'
export { IDLE_STATE } from './client/state.js'
export { assertPayload, assertSubject } from './cluster/engine-checks.js'
export { EngineState } from './cluster/engine-state.js'
export { assertContract, contractAndOptions } from './contract/contract-and-options.js'
export { definitionOf } from './contract/definition.js'
export { flatSideOf } from './contract/path.js'
export { assertDuration, assertMs } from './errors/assert-number.js'
export { assertOptions } from './errors/assert-options.js'
export { assertFunction, listOf, type OptionKind, type OptionKinds } from './errors/options.js'
export { plain, plainLines, quoted } from './errors/quoted.js'
export { log, logFailure } from './logging/log.js'
export type { ImplementArguments } from './server/given-handlers.js'
export { LEASE_MS, Lease } from './server/lease.js'
export {
  type AnyServerChannel,
  ServedChannels,
  type ServedOptions,
} from './server/served-channels.js'
export { type SharedKeys, SharedResults, type SharedValue } from './server/shared-results.js'
export { randomHex } from './wire/random-hex.js'
