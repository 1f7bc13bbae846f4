import type { MaybeAsync } from '../base/maybe-async.js'
import type { Definition } from '../contract/contract.js'
import {
  definitionOf,
  formatIssues,
  schemaOf,
  type Verdict,
  validate,
} from '../contract/definition.js'
import { ErrorCode, RpcError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { ChannelShape } from './channel-context.js'

/**
 * Validates the params or an input item of a caller. @returns the output of the schema.
 *
 * @throws {RpcError} if it breaks the schema.
 */
export function validated(
  { localSide, settings }: Pick<ChannelShape, 'localSide' | 'settings'>,
  method: string,
  part: 'params' | 'input',
  value: unknown,
  definition: Definition | undefined = definitionOf(localSide, method),
): MaybeAsync<unknown> {
  const schema = schemaOf(definition, part)
  // If the contract of a method has no params, the method takes none.
  if (!schema) return definition && part === 'params' ? undefined : value
  const verdict = validate(schema, value)
  if (verdict instanceof Promise) return validLater(verdict, method, part)
  if ('value' in verdict) return verdict.value
  // Only one issue is examined: the caller may be a stranger, and each needs validations.
  const lost = settings.diagnostics?.lostKind(
    settings.format,
    schema,
    value,
    verdict.issues.slice(0, 1),
  )
  return validOf(verdict, method, part, lost)
}

// In a function of its own: whatever has closures makes an object for them each time it runs.
function validLater(
  verdict: Promise<Verdict>,
  method: string,
  part: 'params' | 'input',
): Promise<unknown> {
  return verdict.then((settled) => validOf(settled, method, part))
}

/** @throws {RpcError} if there are issues; it has them as data. */
function validOf(
  verdict: Verdict,
  method: string,
  part: 'params' | 'input',
  lost?: string,
): unknown {
  if ('value' in verdict) return verdict.value
  const { issues } = verdict
  const why = lost === undefined ? '' : `. ${lost}`
  const message = `Invalid ${part} for ${quoted(method)}: ${formatIssues(issues)}${why}`
  throw new RpcError(ErrorCode.invalidParams, message, { issues }, { method })
}
