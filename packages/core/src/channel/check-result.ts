import { type ContractSide, definitionOf, type Schema } from '../contract.js'
import { describeThrown, type Issue, RpcValidationError } from '../errors.js'
import { formatIssues, type Verdict, validate } from './validation.js'

/**
 * Holds what a method returned against its schema.
 *
 * @returns the value as the schema made it.
 * @throws {RpcValidationError} where it breaks the schema: the other side did run the call.
 */
export async function checkResult(
  side: ContractSide | undefined,
  method: string,
  result: unknown,
): Promise<unknown> {
  const definition = definitionOf(side, method)
  return check(
    definition?.kind === 'method' ? definition.result : undefined,
    method,
    result,
    'result',
  )
}

/** The same for an item of a stream, which ends with it. */
export async function checkItem(
  side: ContractSide | undefined,
  method: string,
  item: unknown,
): Promise<unknown> {
  const definition = definitionOf(side, method)
  return check(definition?.kind === 'stream' ? definition.item : undefined, method, item, 'item')
}

/** The same for what a method tells of its progress. */
export async function checkProgress(
  side: ContractSide | undefined,
  method: string,
  value: unknown,
): Promise<unknown> {
  const definition = definitionOf(side, method)
  const schema = definition?.kind === 'method' ? definition.progress : undefined
  return check(schema, method, value, 'progress')
}

const WHAT = { result: 'The result', item: 'An item', progress: 'The progress' } as const

async function check(
  schema: Schema | undefined,
  method: string,
  result: unknown,
  what: keyof typeof WHAT,
): Promise<unknown> {
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
