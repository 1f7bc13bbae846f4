import { type ContractSide, definitionOf, type Schema, schemaOf } from '../contract.js'
import { describeThrown, type Issue, RpcValidationError } from '../errors.js'
import { after, type MaybeAsync } from './maybe-async.js'
import { formatIssues, type Verdict, validate } from './validation.js'

const WHAT = { result: 'The result', item: 'An item', progress: 'The progress' } as const

/**
 * Holds what the other side made of a call against the schema of that: its result, an item of its stream, which
 * ends with it, or what it tells of its progress.
 *
 * @returns the value as the schema made it.
 * @throws {RpcValidationError} where it breaks the schema: the other side did run the call.
 */
export function checkResult(
  side: ContractSide | undefined,
  method: string,
  what: keyof typeof WHAT,
  result: unknown,
): MaybeAsync<unknown> {
  const schema = schemaOf(definitionOf(side, method), what)
  if (!schema) return result
  const fail = (issues: readonly Issue[], options?: ErrorOptions): never => {
    throw new RpcValidationError(
      `${WHAT[what]} of "${method}" breaks its schema: ${formatIssues(issues)}. The other side ran the call; its contract may be of another version`,
      issues,
      'maybe-executed',
      { method, ...options },
    )
  }
  const failed = (cause: unknown): never =>
    fail([{ message: `the schema itself failed: ${describeThrown(cause)}` }], { cause })
  let verdict: MaybeAsync<Verdict>
  try {
    verdict = verdictOf(schema, result)
  } catch (cause) {
    return failed(cause)
  }
  const told = verdict instanceof Promise ? verdict.catch(failed) : verdict
  return after(told, (said) => ('value' in said ? said.value : fail(said.issues)))
}

function verdictOf(schema: Schema, result: unknown): MaybeAsync<Verdict> {
  return after(validate(schema, result), (verdict) => {
    if ('value' in verdict || result !== null) return verdict
    // `undefined` travels as null (JSON has no other way): let a schema of void have it back.
    return after(validate(schema, undefined), (again) => ('value' in again ? again : verdict))
  })
}
