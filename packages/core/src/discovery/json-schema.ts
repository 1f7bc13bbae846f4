import type { StandardJSONSchemaV1 } from '@standard-schema/spec'
import type { Schema } from '../contract/contract.js'

/**
 * A contract's schema as JSON Schema, draft 7, which is what OpenRPC 1.3 has.
 *
 * Source: Standard JSON Schema, https://standardschema.dev/json-schema.
 */

/** A JSON Schema that is an object; `{}` takes anything. */
export type JsonSchema = Readonly<Record<string, unknown>>

const TARGET = 'draft-07'
const NOTHING_SAID = 'No JSON Schema says this; the schema of the contract does'
const PART_SAID = 'Parts of this are said by no JSON Schema, but by the schema of the contract'

/**
 * @returns the values that the schema accepts, as they travel. A part that JSON Schema can't express is `{}`, with a
 *   note in `$comment`. It never throws.
 */
export function toJsonSchema(schema: Schema): JsonSchema {
  const { jsonSchema } = schema['~standard'] as Partial<
    StandardJSONSchemaV1.Props<unknown, unknown>
  >
  return (
    convert(jsonSchema, {}) ??
    // With this option, Zod expresses all other parts, and leaves out those that it can't.
    convert(jsonSchema, { unrepresentable: 'any' }, PART_SAID) ?? { $comment: NOTHING_SAID }
  )
}

function convert(
  jsonSchema: StandardJSONSchemaV1.Converter | undefined,
  libraryOptions: Record<string, unknown>,
  $comment?: string,
): JsonSchema | undefined {
  try {
    const converted = jsonSchema?.input({ target: TARGET, libraryOptions })
    if (typeof converted !== 'object' || converted === null) return undefined
    // All schemas of a document are of one draft.
    const { $schema: _, ...rest } = converted
    if ($comment === undefined) return rest
    return { $comment: Object.keys(rest).length === 0 ? NOTHING_SAID : $comment, ...rest }
  } catch {
    return undefined
  }
}

/**
 * Whether a value may be left out as a whole, by its schema. JSON Schema can't say that, so the schema itself is asked
 * to validate `undefined`. A schema that answers later, or throws, counts as a no.
 */
export function takesNothing(schema: Schema): boolean {
  try {
    const verdict = schema['~standard'].validate(undefined)
    if (!('then' in verdict)) return verdict.issues === undefined
    void Promise.resolve(verdict).catch(() => {})
    return false
  } catch {
    return false
  }
}

/** Keywords whose members are schemas, under any name. */
const MAPS = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies'])
/** Keywords whose values are data: a `$ref` in them is not a reference. */
const DATA = new Set(['const', 'default', 'enum', 'examples'])

/**
 * Moves a schema's references to its own parts, because the schema becomes a part of a document.
 *
 * @param place its place in the document, such as `#/components/schemas/add.params`.
 * @returns the schema, and whether it has such references.
 */
export function moveReferences(
  schema: JsonSchema,
  place: string,
): { schema: JsonSchema; hasAny: boolean } {
  let hasAny = false
  const moveEach = (map: object): object =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, move(value)]))
  const moveMember = (key: string, value: unknown): unknown => {
    if (DATA.has(key)) return value
    if (key === '$ref' && typeof value === 'string' && value.startsWith('#')) {
      hasAny = true
      return `${place}${value.slice(1)}`
    }
    return MAPS.has(key) && isObject(value) ? moveEach(value) : move(value)
  }
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move)
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, moveMember(key, member)]),
    )
  }
  return { schema: move(schema) as JsonSchema, hasAny }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
