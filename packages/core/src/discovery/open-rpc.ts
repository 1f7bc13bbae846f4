import type { Definition, FlatSide, Schema } from '../contract/contract.js'
import { ErrorCode } from '../errors/errors.js'
import { type JsonSchema, moveReferences, takesNothing, toJsonSchema } from './json-schema.js'
import { describeParams, type ParamsDescription } from './params.js'

/**
 * An OpenRPC document of a side of a contract.
 *
 * Source: OpenRPC Specification 1.3.2, https://spec.open-rpc.org; what is ours in it begins with
 * `x-flashrpc-` (docs/protocol.md, "Discovery").
 */
export interface OpenRpcDocument {
  /** The version of OpenRPC. */
  openrpc: '1.3.2'
  /** What is described. */
  info: OpenRpcInfo
  /** The methods of the side. */
  methods: OpenRpcMethod[]
  /** What the methods refer to. */
  components: {
    /** The schemas, by name. */
    schemas?: Record<string, JsonSchema>
    /** The errors of flashrpc, by name. */
    errors: Record<
      string,
      {
        /** A number of `ErrorCode`. */
        code: number
        /** What the error means. */
        message: string
      }
    >
  }
}

/** What a document of OpenRPC describes. */
export interface OpenRpcInfo {
  /** Default `flashrpc server`, or `flashrpc client`. */
  title: string
  /** The version of what is served, not of the protocol. Default `0.0.0`. */
  version: string
  /** What is served, in words. */
  description?: string
}

/** A method, a notification or a stream in a document of OpenRPC. */
export interface OpenRpcMethod extends ParamsDescription {
  /** The name of the method. */
  name: string
  /** Missing where it is a notification. */
  result?: {
    /** OpenRPC wants a name. */
    name: 'result'
    /** The schema of the result; `true`: any. */
    schema: JsonSchema | true
  }
  /** What a stream yields; only streams have it. */
  'x-flashrpc-item'?: JsonSchema | true
  /** What the caller streams in. */
  'x-flashrpc-input'?: JsonSchema | true
  /** What is told as progress. */
  'x-flashrpc-progress'?: JsonSchema | true
}

/** A method's own part of the document, and the schemas that it refers to. */
interface Description {
  readonly method: OpenRpcMethod
  readonly schemas: Readonly<Record<string, JsonSchema>>
}

/** Puts the descriptions of these methods together; without a contract, there are but their names. */
export function openRpcDocument(
  info: OpenRpcInfo,
  names: readonly string[],
  side: ReadonlyMap<string, Description> | undefined,
): OpenRpcDocument {
  const descriptions = names.map((name) => side?.get(name) ?? describeUnknown(name))
  const schemas = Object.assign({}, ...descriptions.map((description) => description.schemas))
  return {
    openrpc: '1.3.2',
    info,
    methods: descriptions.map(({ method }) => method),
    components: { ...(Object.keys(schemas).length > 0 && { schemas }), errors: ERRORS },
  }
}

/** @returns the description of each method of the side, by name. */
export function describeSide(side: FlatSide): ReadonlyMap<string, Description> {
  return new Map(
    Object.entries(side).map(([name, definition]) => [name, describeMethod(name, definition)]),
  )
}

/** The schemas that a definition can have besides its params. */
type Parts = Readonly<Partial<Record<'params' | 'result' | 'item' | 'input' | 'progress', Schema>>>

function describeMethod(name: string, definition: Definition): Description {
  const { params, ...parts } = definition as Parts
  const schemas: Record<string, JsonSchema> = {}
  /** One that refers to itself is a component: there its references have a place to lead to. */
  const say = (part: string, schema: Schema): { schema: JsonSchema; root: JsonSchema } => {
    const component = `${componentName(name)}.${part}`
    const place = `#/components/schemas/${component}`
    const moved = moveReferences(toJsonSchema(schema), place)
    if (!moved.hasAny) return { schema: moved.schema, root: moved.schema }
    schemas[component] = moved.schema
    return { schema: { $ref: place }, root: moved.schema }
  }
  const sayPart = (part: keyof typeof parts) => {
    const schema = parts[part]
    return schema && say(part, schema).schema
  }
  const method: OpenRpcMethod = {
    name,
    ...describeParams(
      params && say('params', params),
      params !== undefined && takesNothing(params),
    ),
  }
  if (definition.kind === 'method') {
    method.result = { name: 'result', schema: sayPart('result') ?? true }
  } else if (definition.kind === 'stream') {
    // What answers the call says no more than that the last item has come.
    method.result = { name: 'result', schema: { type: 'null' } }
    method['x-flashrpc-item'] = sayPart('item') ?? true
  }
  for (const part of ['input', 'progress'] as const) {
    const schema = sayPart(part)
    if (schema) method[`x-flashrpc-${part}`] = schema
  }
  return { method, schemas }
}

function describeUnknown(name: string): Description {
  const result = { name: 'result', schema: true } as const
  return {
    method: { name, paramStructure: 'by-name', params: [], 'x-flashrpc-params': true, result },
    schemas: {},
  }
}

/** Components have names of letters, digits, `_`, `.` and `-`; each method's stays one of its own. */
function componentName(name: string): string {
  return name.replaceAll(/[^\w.]/g, (letter) => `-${letter.charCodeAt(0).toString(16)}-`)
}

/** The codes that are answered: docs/protocol.md, "Error codes". */
const ERRORS = {
  invalidRequest: told('invalidRequest', 'No valid request, or its id is in use'),
  methodNotFound: told('methodNotFound', 'No such method, or nobody handles it now'),
  invalidParams: told('invalidParams', 'The params break the schema: data.issues says where'),
  internal: told('internal', 'The handler failed'),
  unauthorized: told('unauthorized', 'This caller may not call this method'),
  overloaded: told('overloaded', 'A limit stands in the way'),
  shuttingDown: told('shuttingDown', 'The server leaves, and did not run the call'),
  uncertain: told('uncertain', 'What came of a call with this key can’t be told'),
  keyReused: told('keyReused', 'The key belongs to another call'),
  cancelled: told('cancelled', 'The call was cancelled by its caller'),
}

function told(name: keyof typeof ErrorCode, message: string): { code: number; message: string } {
  return { code: ErrorCode[name], message }
}
