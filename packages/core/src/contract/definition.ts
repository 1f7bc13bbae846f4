import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { MaybeAsync } from '../base/maybe-async.js'
import type { Issue } from '../errors/errors.js'
import { plain } from '../errors/quoted.js'
import type { Definition, FlatSide, MaybeSchema, Part, Schema } from './contract.js'

/** @returns the definition of this very name; never what objects inherit. */
export function definitionOf(side: FlatSide | undefined, name: string): Definition | undefined {
  return side && Object.hasOwn(side, name) ? side[name] : undefined
}

/** @returns the schema of one part of a definition; undefined if it has none. */
export function schemaOf(definition: Definition | undefined, part: Part): Schema | undefined {
  // Not every kind has every part.
  return (definition as { readonly [P in typeof part]?: MaybeSchema } | undefined)?.[part]
}

/** A schema's verdict: the value as the schema made it, or what it complains of. */
export type Verdict = { value: unknown } | { issues: readonly Issue[] }

/**
 * Validates a value by a schema.
 *
 * @throws whatever the schema throws. That is a failure of this side, not a complaint about the value.
 */
export function validate(schema: Schema, value: unknown): MaybeAsync<Verdict> {
  const verdict = schema['~standard'].validate(value)
  if ('then' in verdict) return Promise.resolve(verdict).then(toVerdict)
  return verdict.issues ? toVerdict(verdict) : verdict
}

function toVerdict(verdict: StandardSchemaV1.Result<unknown>): Verdict {
  return verdict.issues ? { issues: verdict.issues.map(toIssue) } : { value: verdict.value }
}

/** Issues as one line: `a.b: expected number; c: required`. */
export function formatIssues(issues: readonly Issue[]): string {
  return issues
    .map(({ message, path }) =>
      path?.length ? `${plain(path.join('.'))}: ${plain(message)}` : plain(message),
    )
    .join('; ')
}

/** Only text and keys cross the wire, never a schema's own objects. */
function toIssue(issue: StandardSchemaV1.Issue): Issue {
  const path = issue.path?.map((segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    return typeof key === 'symbol' ? String(key) : key
  })
  return path?.length ? { message: issue.message, path } : { message: issue.message }
}
