import type { Contract } from '../contract/contract.js'
import { assertCount } from '../errors/assert-number.js'
import { RpcConfigError } from '../errors/errors.js'
import { resolveLimits } from '../link/limits.js'
import { assertLogger } from '../logging/logger.js'
import type { Dialect } from '../transport/dialect.js'
import { jsonCodec } from '../wire/codec.js'
import { type Format, resolveFormat } from '../wire/format.js'
import { readTimeout } from './call-timer.js'
import type { Feature } from './feature.js'
import { firstOf } from './feature-table.js'
import type { OwnedOptions, ResolvedChannelOptions } from './options.js'

/**
 * @param options the options; their names and kinds were already checked.
 * @returns the options, checked, with their defaults.
 * @throws {RpcConfigError} if an option is wrong; it names the option.
 */
export function resolveChannelOptions(
  options: OwnedOptions,
  features: readonly Feature[],
  contract: Contract | undefined,
): ResolvedChannelOptions {
  const { timeout = 30_000, limits, exposeErrors = false } = options
  const { dialect, fallback, plain = false, helloTimeoutMs = 10_000 } = options
  const diagnostics = firstOf(features, 'diagnostics')
  const nearest = diagnostics?.nearest
  const format = resolveFormat(options, firstOf(features, 'attachments'))
  assertDialect(dialect, format)
  assertCount('helloTimeoutMs', helloTimeoutMs)
  assertLogger(options.logger)
  return {
    timeout: readTimeout(undefined, timeout, nearest),
    limits: resolveLimits(limits, nearest),
    createKeepalive: undefined,
    exposeErrors,
    fallback,
    waitForMount: 0,
    discover: undefined,
    members: undefined,
    use: undefined,
    traceCalls: false,
    diagnostics,
    dialect,
    format,
    plain,
    helloTimeoutMs,
    ...Object.assign(
      {},
      ...features.map((feature) => feature.resolve?.(options, nearest, contract)),
    ),
  }
}

function assertDialect(dialect: Dialect | undefined, { codec }: Format): void {
  if (dialect === undefined) return
  if (typeof dialect?.wrap !== 'function') {
    throw new RpcConfigError('dialect must be a dialect, such as pythonDialect()')
  }
  if (codec !== jsonCodec) {
    const why = `the ${dialect.name} dialect is written in JSON`
    throw new RpcConfigError(`The codec "${codec.name}" can't be used: ${why}. Leave codec out`)
  }
}
