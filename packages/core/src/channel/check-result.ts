import { type ContractSide, definitionOf, schemaOf } from '../contract.js'
import { describeThrown, type Issue, RpcValidationError } from '../errors.js'
import { formatIssues, type Verdict, validate } from './validation.js'

const WHAT = { result: 'The result', item: 'An item', progress: 'The progress' } as const

/**
 * Holds what the other side made of a call against the schema of that: its result, an item of its stream, which
 * ends with it, or what it tells of its progress.
 *
 * @returns the value as the schema made it.
 * @throws {RpcValidationError} where it breaks the schema: the other side did run the call.
 */
export async function checkResult(
  side: ContractSide | undefined,
  method: string,
  what: keyof typeof WHAT,
  result: unknown,
): Promise<unknown> {
  const schema = schemaOf(definitionOf(side, method), what)
  if (!schema) return result
  const broken = (issues: readonly Issue[], options?: ErrorOptions): RpcValidationError =>
    new RpcValidationError(
      `${WHAT[what]} of "${method}" breaks its schema: ${formatIssues(issues)}. The other side ran the call; its contract may be of another version`,
      issues,
      'maybe-executed',
      { method, ...options },
    )
  let verdict: Verdict
  try {
    verdict = await validate(schema, result)
    if ('issues' in verdict && result === null) {
      // `undefined` travels as null (JSON has no other way): let a schema of void have it back.
      const again = await validate(schema, undefined)
      if ('value' in again) verdict = again
    }
  } catch (cause) {
    throw broken([{ message: `the schema itself failed: ${describeThrown(cause)}` }], { cause })
  }
  if ('value' in verdict) return verdict.value
  throw broken(verdict.issues)
}
