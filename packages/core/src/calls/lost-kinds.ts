import type { Schema } from '../contract/contract.js'
import { validate } from '../contract/validation.js'
import type { Issue } from '../errors/errors.js'
import { jsonCodec } from '../wire/codec.js'
import type { Format } from '../wire/format.js'

/**
 * Kinds of values that JSON has no word for. What it makes of them breaks a schema that wants the kind itself: the
 * error of that names the kind and the remedy.
 */

interface Kind {
  readonly name: string
  /** What JSON makes of it. */
  readonly becomes: string
  /** A value of this kind of which JSON may have made this one; undefined where it can't have. */
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
    // By a `toJSON` of the application's; by itself, it can't be sent.
    name: 'bigint',
    becomes: 'text',
    revive: (value) =>
      typeof value === 'string' && /^-?\d{1,100}$/.test(value) ? BigInt(value) : undefined,
  },
  {
    // Of a peer that is no flashrpc: between two, bytes go beside the JSON.
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

/** Of how many complaints the cause is looked for: each costs validations of the whole value. */
const MOST_ISSUES = 3

/**
 * @param value breaks the schema.
 * @returns what to say of the kind of value that JSON did not carry; undefined where that is not the cause, or only an
 *   asynchronous schema could tell.
 */
export function lostKind(
  { codec }: Format,
  schema: Schema,
  value: unknown,
  issues: readonly Issue[],
): string | undefined {
  if (codec !== jsonCodec) return undefined
  for (const { path = [] } of issues.slice(0, MOST_ISSUES)) {
    const found = valueAt(value, path)
    for (const kind of KINDS) {
      const revived = kind.revive(found)
      if (revived === undefined || !accepts(schema, value, path, revived)) continue
      // A schema that takes any number, Infinity among them, is more often given a null by mistake.
      if (found !== null || !accepts(schema, value, path, 0)) return sayLost(kind)
    }
  }
  return undefined
}

/** What to say of a value that can't be sent, where a codec could send it; otherwise nothing. */
export function remedyOfUnsent({ codec }: Format, thrown: unknown): string {
  // JSON.stringify throws at no other kind, and each engine names this one in its text.
  const isBigint =
    codec === jsonCodec && thrown instanceof TypeError && /bigint/i.test(thrown.message)
  return isBigint ? `. JSON carries no bigint: ${remedy('text')}` : ''
}

function sayLost({ name, becomes }: Kind): string {
  const what = `JSON carries no ${name}, and made ${becomes} of it`
  return `${what}: ${name === 'Date' ? REMEDY_OF_DATES : remedy(becomes)}`
}

/** What to do about dates, which JSON carries as text. */
export const REMEDY_OF_DATES = `${remedy('text')} (with zod, z.coerce.date() or z.iso.datetime())`

function remedy(becomes: string): string {
  return `give both sides codec: msgpackCodec (@flashrpc/core/msgpack), or have the schema take ${becomes}`
}

/** Whether a schema would not complain of a replacement at a path, whatever else it complains of. */
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

/** A copy with another value at a path that it has. */
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
