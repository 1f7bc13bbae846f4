import type { Schema } from '../../contract/contract.js'
import { validate } from '../../contract/definition.js'
import type { Issue } from '../../errors/errors.js'
import { jsonCodec } from '../../wire/codec.js'
import type { Format } from '../../wire/format.js'

/**
 * Kinds of values that JSON can't represent. If JSON turned such a value into another one that breaks the schema, the
 * error names the kind and the remedy.
 */

interface Kind {
  readonly name: string
  /** The value that JSON makes of it. */
  readonly becomes: string
  /** A value of this kind that JSON may have turned into `value`; undefined if that is impossible. */
  revive(value: unknown): unknown
}

const KINDS: readonly Kind[] = [
  {
    name: 'Date',
    becomes: 'text',
    revive: (value) =>
      typeof value === 'string' && /^[-+\d]+T[\d:.]+Z$/.test(value) ? new Date(value) : undefined,
  },
  { name: 'Map', becomes: '{}', revive: (value) => (isEmpty(value) ? new Map() : undefined) },
  { name: 'Set', becomes: '{}', revive: (value) => (isEmpty(value) ? new Set() : undefined) },
  {
    // With a `toJSON` of the application; without one, a bigint can't be sent.
    name: 'bigint',
    becomes: 'text',
    revive: (value) =>
      typeof value === 'string' && /^-?\d{1,100}$/.test(value) ? BigInt(value) : undefined,
  },
  {
    // From a peer without flashrpc: between two flashrpc peers, bytes are sent beside the JSON.
    name: 'Uint8Array',
    becomes: 'an object',
    revive: (value) =>
      isObject(value) && ('0' in value || value.type === 'Buffer') ? new Uint8Array(1) : undefined,
  },
  {
    name: 'Infinity',
    becomes: 'null',
    revive: (value) => (value === null ? Number.POSITIVE_INFINITY : undefined),
  },
  {
    name: 'NaN',
    becomes: 'null',
    revive: (value) => (value === null ? Number.NaN : undefined),
  },
]

/** The number of issues for which the cause is searched: each needs validations of the whole value. */
const MAX_ISSUES = 3

/**
 * @param value the value that breaks the schema.
 * @returns the text about the kind of value that JSON did not carry; undefined if that is not the cause, or if only an
 *   asynchronous schema could tell.
 */
export function lostKind(
  { codec }: Format,
  schema: Schema,
  value: unknown,
  issues: readonly Issue[],
): string | undefined {
  if (codec !== jsonCodec) return undefined
  for (const { path = [] } of issues.slice(0, MAX_ISSUES)) {
    const found = valueAt(value, path)
    for (const kind of KINDS) {
      const revived = kind.revive(found)
      if (revived === undefined || !accepts(schema, value, path, revived)) continue
      // If a schema accepts any number, including Infinity, a null is more often a mistake.
      if (found !== null || !accepts(schema, value, path, 0)) return sayLost(kind)
    }
  }
  return undefined
}

/** The remedy for a value that can't be sent, if another codec could send it; otherwise an empty text. */
export function remedyOfUnsent({ codec }: Format, thrown: unknown): string {
  // JSON.stringify throws at no other kind, and each engine names bigint in its text.
  const isBigint =
    codec === jsonCodec && thrown instanceof TypeError && /bigint/i.test(thrown.message)
  return isBigint ? `. JSON carries no bigint: ${remedy('text')}` : ''
}

function sayLost({ name, becomes }: Kind): string {
  const what = `JSON carries no ${name}, and made ${becomes} of it`
  return `${what}: ${name === 'Date' ? REMEDY_OF_DATES : remedy(becomes)}`
}

/** The remedy for dates, which JSON carries as text. */
export const REMEDY_OF_DATES = `${remedy('text')} (with zod, z.coerce.date() or z.iso.datetime())`

function remedy(becomes: string): string {
  return `give both sides codec: msgpackCodec (@flashrpc/core/msgpack), or have the schema take ${becomes}`
}

/** Whether a schema has no issue at a path after the value there is replaced. Issues at other paths do not matter. */
function accepts(
  schema: Schema,
  value: unknown,
  path: readonly (string | number)[],
  replacement: unknown,
): boolean {
  try {
    const verdict = validate(schema, replacedAt(value, path, replacement))
    if (verdict instanceof Promise) {
      verdict.catch(() => {})
      return false
    }
    if ('value' in verdict) return true
    const place = JSON.stringify(path)
    return verdict.issues.every((issue) => JSON.stringify(issue.path ?? []) !== place)
  } catch {
    return false
  }
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string | number, unknown>)[key]
  }
  return found
}

/** A copy of a value in which the value at an existing path is replaced. */
function replacedAt(
  value: unknown,
  [key, ...rest]: readonly (string | number)[],
  replacement: unknown,
): unknown {
  if (key === undefined) return replacement
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) }
  const members = copy as Record<string | number, unknown>
  members[key] = replacedAt(members[key], rest, replacement)
  return copy
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0
}
