import type { Contract, FlatSide } from '../contract/contract.js'
import { flatSideOf } from '../contract/path.js'
import { RpcConfigError } from '../errors/errors.js'
import { listOf } from '../errors/options.js'
import type { Feature, FeatureName } from './feature.js'
import type { SendOptions } from './functions.js'

/** Options of channels, clients and endpoints that need a feature. */
const OPTIONS: Readonly<Record<string, FeatureName | readonly FeatureName[]>> = {
  use: 'middleware',
  discover: 'discovery',
  waitForMount: 'presence',
  resume: 'sessions',
  idempotency: 'keys',
  traceCalls: 'diagnostics',
  heartbeat: 'keepalive',
  // The members of a group are sent as a stream.
  presence: ['members', 'streams'],
}

/** Options of calls that need a feature. */
const CALL_OPTIONS: Partial<Record<keyof SendOptions, FeatureName>> = {
  idempotencyKey: 'keys',
  input: 'streams',
  onProgress: 'progress',
}

/**
 * Checks that the option `features` is a list of features.
 *
 * @throws {RpcConfigError} if it is not.
 */
export function assertAreFeatures(features: unknown): asserts features is readonly Feature[] {
  if (Array.isArray(features) && features.every(isFeature)) return
  throw new RpcConfigError(
    'features must be a list of what the functions of @flashrpc/core/features return, such as [streams()]',
  )
}

/** Functions have names, too. A feature that was not called, such as `streams`, is none. */
function isFeature(value: unknown): boolean {
  return typeof value === 'object' && typeof (value as Feature | null)?.name === 'string'
}

/**
 * Checks that a contract and the options need no feature that is missing.
 *
 * @throws {RpcConfigError} if a feature is missing; it names the method or the option, and the feature.
 */
export function assertFeatures(
  contract: Contract | undefined,
  options: object,
  features: readonly Feature[],
): void {
  const has = (needed: FeatureName) => features.some((feature) => feature.name === needed)
  for (const [option, needed] of Object.entries(OPTIONS)) {
    const value = (options as Record<string, unknown>)[option]
    if (value === undefined || value === false) continue
    const missing = listOf(needed).find((feature) => !has(feature))
    if (!missing) continue
    throw new RpcConfigError(`The option "${option}" needs a feature: add ${missing}() to features`)
  }
  for (const side of [contract?.server, contract?.client]) assertSide(flatSideOf(side), has)
}

function assertSide(side: FlatSide | undefined, has: (needed: FeatureName) => boolean): void {
  for (const [method, definition] of Object.entries(side ?? {})) {
    if (!has('streams')) {
      if (definition.kind === 'stream') throw missing(method, 'is a stream', 'streams')
      if ('input' in definition && definition.input) throw missing(method, 'takes input', 'streams')
    }
    if (!has('progress') && 'progress' in definition && definition.progress) {
      throw missing(method, 'tells its progress', 'progress')
    }
  }
}

/** The error of a method that needs a missing feature. */
export function missing(method: string, what: string, feature: FeatureName): RpcConfigError {
  return new RpcConfigError(`"${method}" ${what}: add ${feature}() to features`, { method })
}

/**
 * Checks that an option of a call needs no feature that is missing. It runs for options that no feature handles.
 *
 * @throws {RpcConfigError} if the feature of the option is missing.
 */
export function assertCallOption(method: string, option: string): void {
  const needed = CALL_OPTIONS[option as keyof SendOptions]
  if (needed) throw missing(method, `is called with ${option}`, needed)
}
