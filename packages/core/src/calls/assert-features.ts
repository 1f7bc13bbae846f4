import type { Contract, FlatSide } from '../contract/contract.js'
import { flatSideOf } from '../contract/path.js'
import { RpcConfigError } from '../errors/errors.js'
import { listOf } from '../errors/options.js'
import type { Feature, FeatureName } from './feature.js'

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
  const areFeatures = Array.isArray(features) && features.every((one) => typeof one === 'object')
  if (!areFeatures) {
    throw new RpcConfigError(
      'features must be a list of what the functions of @flashrpc/core/features return, such as [streams()]',
    )
  }
  const has = (needed: FeatureName) => features.some((feature) => feature?.name === needed)
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
