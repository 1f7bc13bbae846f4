import { after, type MaybeAsync } from '../base/maybe-async.js'
import type { Definition, Schema } from '../contract/contract.js'
import { formatIssues, type Verdict, validate } from '../contract/definition.js'
import { describeThrown, type Issue, RpcValidationError } from '../errors/errors.js'
import type { Format } from '../wire/format.js'
import type { Diagnostics } from './diagnostics.js'

/** The part of a channel that is needed here. */
interface Reader {
  readonly settings: { readonly format: Format; readonly diagnostics: Diagnostics | undefined }
}

const OTHER_VERSION = 'The contract of the other side may be of another version'
/** Why null may have arrived. */
const NULL = `A handler that returns nothing sends null, as NaN does. ${OTHER_VERSION}`

const WHAT = { result: 'The result', item: 'An item', progress: 'The progress' } as const

/**
 * Validates a value from the other side against its schema: the result of a call, an item of its stream (the stream
 * ends if the item breaks the schema), or a progress value.
 *
 * @param reader has the format of the messages, for the text of the error.
 * @returns the output of the schema.
 * @throws {RpcValidationError} if the value breaks the schema; the other side did run the call.
 */
export function checkResult(
  definition: Definition | undefined,
  method: string,
  what: keyof typeof WHAT,
  result: unknown,
  reader: Reader,
): MaybeAsync<unknown> {
  // Not every kind has every part.
  const schema = (definition as Partial<Record<typeof what, Schema>> | undefined)?.[what]
  if (!schema) return result
  let verdict: MaybeAsync<Verdict>
  try {
    verdict = result === null ? verdictOfNull(schema) : validate(schema, result)
  } catch (cause) {
    throw schemaFailed(method, what, cause)
  }
  if (!(verdict instanceof Promise)) {
    if ('value' in verdict) return verdict.value
    const { issues } = verdict
    const { format, diagnostics } = reader.settings
    const lost = diagnostics?.lostKind(format, schema, result, issues)
    throw broken(method, what, issues, lost ?? (result === null ? NULL : undefined))
  }
  return checkedLater(verdict, method, what)
}

// In a function of its own: whatever has closures makes an object for them each time it runs.
function checkedLater(
  verdict: Promise<Verdict>,
  method: string,
  what: keyof typeof WHAT,
): Promise<unknown> {
  return verdict.then(
    (settled) => {
      if ('value' in settled) return settled.value
      throw broken(method, what, settled.issues)
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
  why = OTHER_VERSION,
  options?: ErrorOptions,
): RpcValidationError {
  return new RpcValidationError(
    `${WHAT[what]} of "${method}" breaks its schema: ${formatIssues(issues)}. The other side ran the call. ${why}`,
    issues,
    'maybe-executed',
    { method, ...options },
  )
}

/** `undefined` is sent as null (JSON has no other way): a schema of void gets `undefined` back. */
function verdictOfNull(schema: Schema): MaybeAsync<Verdict> {
  return after(validate(schema, null), (first) => {
    if ('value' in first) return first
    return after(validate(schema, undefined), (again) => ('value' in again ? again : first))
  })
}
