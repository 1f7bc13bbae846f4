import { type Definition, schemaOf } from '../contract.js'
import type { Issue } from '../errors.js'
import { formatIssues, validate } from './validation.js'

/**
 * JSON carries a date as its text. Where the contract's params take a date and no text, such a call can never pass: to be
 * asked of params that have a date in them, and as they are sent.
 *
 * @throws {TypeError} saying what the schema complains of, where it would take the date and does not take its text.
 */
export function assertDatesArrive(definition: Definition | undefined, params: unknown): void {
  const schema = schemaOf(definition, 'params')
  if (!schema) return
  const complaintsOf = (value: unknown): readonly Issue[] | undefined => {
    try {
      const verdict = validate(schema, value)
      // One that takes its time is asked by the other side alone.
      if (verdict instanceof Promise) verdict.catch(() => {})
      else if ('issues' in verdict) return verdict.issues
    } catch {
      // So it does there, which is told as a failure of the schema's.
    }
    return undefined
  }
  const issues = complaintsOf(withTexts(params))
  // What is wrong all the same is the other side's to say.
  if (!issues || complaintsOf(params)) return
  throw new TypeError(
    `a Date arrives as its text, which the contract does not take (${formatIssues(issues)}). Have its schema take text (with zod, z.coerce.date()), or give both sides a codec that carries dates (msgpackCodec)`,
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
