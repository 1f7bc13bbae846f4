// What the other packages of flashrpc share with core. Not for applications: there is no promise across versions.
export { CALL_OPTIONS } from './calls/call-options.js'
export { EXPOSE_OPTIONS } from './calls/handler.js'
export { type ToldError, toldError } from './calls/refusals.js'
export { SERVER_CHANNEL_OPTIONS } from './channels/open-channel.js'
export { CLIENT_SETTINGS } from './client/client-options.js'
export { IDLE_STATE } from './client/state.js'
export { assertPayload, assertSubject } from './cluster/engine-checks.js'
export { EngineState } from './cluster/engine-state.js'
export { assertContract, contractAndOptions } from './contract/contract-and-options.js'
export { assertDuration, assertMs } from './errors/assert-number.js'
export {
  assertFunction,
  assertOptions,
  listOf,
  type OptionKind,
  type OptionKinds,
} from './errors/assert-options.js'
export { plain, plainLines, quoted } from './errors/quoted.js'
export { logFailure } from './logging/log-failure.js'
export { log } from './logging/logger.js'
