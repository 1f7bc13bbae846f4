import type { Definition } from '../../contract/contract.js'
import { formatIssues, schemaOf, validate } from '../../contract/definition.js'
import type { Issue } from '../../errors/errors.js'
import { REMEDY_OF_DATES } from './lost-kinds.js'

/**
 * JSON carries a date as its text. If the contract's params accept a date and not its text, such a call can never
 * succeed, so it is refused here. Call this function only with params that hold a date, before they are sent.
 *
 * @throws {TypeError} if the schema accepts the date but not its text; the error has the complaints of the schema.
 */
export function assertDatesArrive(definition: Definition | undefined, params: unknown): void {
  const schema = schemaOf(definition, 'params')
  if (!schema) return
  const complaintsOf = (value: unknown): readonly Issue[] | undefined => {
    try {
      const verdict = validate(schema, value)
      // An asynchronous schema is checked by the other side only.
      if (verdict instanceof Promise) verdict.catch(() => {})
      else if ('issues' in verdict) return verdict.issues
    } catch {
      // The schema will also throw on the other side, which reports it as a failure of the schema.
    }
    return undefined
  }
  const issues = complaintsOf(withTexts(params))
  // If the params are also wrong with the date, the other side reports the error.
  if (!issues || complaintsOf(params)) return
  throw new TypeError(
    `a Date arrives as its text, which the contract does not take (${formatIssues(issues)}): ${REMEDY_OF_DATES}`,
  )
}

/** A value with each date as its text. */
function withTexts(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.toJSON()
  if (Array.isArray(value)) return value.map(withTexts)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTexts(member)]))
}
