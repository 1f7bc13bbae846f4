import type { JsonSchema } from './json-schema.js'

/** How OpenRPC describes a method's params. */
export interface ParamsDescription {
  /** Whether the params are an object or an array. */
  paramStructure: 'by-name' | 'by-position'
  /** Each of the params. */
  params: ContentDescriptor[]
  /** The schema of the params as a whole, if `params` does not express all of it; `true`: any. */
  'x-flashrpc-params'?: JsonSchema | true
}

/** One of the params. */
export interface ContentDescriptor {
  /** Its name. */
  name: string
  /** Whether a caller must give it. */
  required: boolean
  /** Its schema; `true`: any. */
  schema: JsonSchema | boolean
}

/** Keywords of an object's schema that its descriptors express as well, or that do not restrict its values. */
const OBJECT_KEYWORDS = new Set(['type', 'properties', 'required', 'definitions', '$defs', 'title'])
const TUPLE_KEYWORDS = new Set(['type', 'items', 'minItems', 'definitions', '$defs', 'title'])

/**
 * @param described the schema of the params: as the document refers to it, and as it is; undefined if the method
 *   takes no params.
 * @param isOptional whether a caller may leave the params out altogether: then no member is required.
 */
export function describeParams(
  described: { schema: JsonSchema; root: JsonSchema } | undefined,
  isOptional: boolean,
): ParamsDescription {
  if (!described) return { paramStructure: 'by-name', params: [] }
  const { schema, root } = described
  /**
   * If the params as a whole are optional, descriptors can't express which members are required when they are
   * present. The schema as a whole expresses it.
   */
  const whole = (words: ReadonlySet<string>, isAnyRequired: boolean) =>
    Object.keys(root).every((word) => words.has(word)) && !(isOptional && isAnyRequired)
      ? {}
      : { 'x-flashrpc-params': schema }
  if (root.type === 'array' && Array.isArray(root.items)) {
    const minItems = typeof root.minItems === 'number' ? root.minItems : 0
    const required = isOptional ? 0 : minItems
    const params = root.items.map((item, index) => describe(`${index}`, index < required, item))
    return { paramStructure: 'by-position', params, ...whole(TUPLE_KEYWORDS, minItems > 0) }
  }
  const properties = Object.entries((root.properties ?? {}) as object)
  const required = new Set(Array.isArray(root.required) ? root.required : [])
  const params = properties.map(([name, value]) =>
    describe(name, !isOptional && required.has(name), value),
  )
  const isPlain = root.type === 'object' && params.every(({ name }) => name !== '')
  return {
    paramStructure: 'by-name',
    params: params.filter(({ name }) => name !== ''),
    ...(isPlain ? whole(OBJECT_KEYWORDS, required.size > 0) : { 'x-flashrpc-params': schema }),
  }
}

/** @returns a descriptor. OpenRPC wants a name that is not empty. */
function describe(name: string, required: boolean, schema: JsonSchema): ContentDescriptor {
  return { name, required, schema }
}
