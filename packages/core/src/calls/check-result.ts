import { after, type MaybeAsync } from '../base/maybe-async.js'
import { type Definition, type Schema, schemaOf } from '../contract/contract.js'
import { formatIssues, type Verdict, validate } from '../contract/validation.js'
import { describeThrown, type Issue, RpcValidationError } from '../errors/errors.js'
import type { Format } from '../wire/format.js'
import { lostKind } from './lost-kinds.js'

/** Whose calls they are. */
interface Reader {
  readonly settings: { readonly format: Format }
}

const WHAT = { result: 'The result', item: 'An item', progress: 'The progress' } as const

/**
 * Holds what the other side made of a call against the schema of that: its result, an item of its stream, which
 * ends with it, or what it tells of its progress.
 *
 * @param reader says how messages are written, for the error.
 * @returns the value as the schema made it.
 * @throws {RpcValidationError} where it breaks the schema: the other side did run the call.
 */
export function checkResult(
  definition: Definition | undefined,
  method: string,
  what: keyof typeof WHAT,
  result: unknown,
  reader: Reader,
): MaybeAsync<unknown> {
  const schema = schemaOf(definition, what)
  if (!schema) return result
  let verdict: MaybeAsync<Verdict>
  try {
    verdict = verdictOf(schema, result)
  } catch (cause) {
    throw schemaFailed(method, what, cause)
  }
  if (!(verdict instanceof Promise)) {
    if ('value' in verdict) return verdict.value
    throw broken(
      method,
      what,
      verdict.issues,
      lostKind(reader.settings.format, schema, result, verdict.issues),
    )
  }
  return verdict.then(
    (told) => {
      if ('value' in told) return told.value
      throw broken(method, what, told.issues)
    },
    (cause: unknown) => {
      throw schemaFailed(method, what, cause)
    },
  )
}

function schemaFailed(method: string, what: keyof typeof WHAT, cause: unknown): RpcValidationError {
  const message = `the schema itself failed: ${describeThrown(cause)}`
  return broken(method, what, [{ message }], undefined, { cause })
}

function broken(
  method: string,
  what: keyof typeof WHAT,
  issues: readonly Issue[],
  why = 'The contract of the other side may be of another version',
  options?: ErrorOptions,
): RpcValidationError {
  return new RpcValidationError(
    `${WHAT[what]} of "${method}" breaks its schema: ${formatIssues(issues)}. The other side ran the call. ${why}`,
    issues,
    'maybe-executed',
    { method, ...options },
  )
}

function verdictOf(schema: Schema, result: unknown): MaybeAsync<Verdict> {
  const verdict = validate(schema, result)
  if (result !== null) return verdict
  return after(verdict, (first) => {
    if ('value' in first) return first
    // `undefined` travels as null (JSON has no other way): let a schema of void have it back.
    return after(validate(schema, undefined), (again) => ('value' in again ? again : first))
  })
}
