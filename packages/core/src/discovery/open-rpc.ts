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
  /** The title, the version and the description of the program. */
  info: OpenRpcInfo
  /** The methods of the side. */
  methods: OpenRpcMethod[]
  /** The parts that the methods refer to. */
  components: {
    /** The schemas, by name. */
    schemas?: Record<string, JsonSchema>
    /** The errors of flashrpc, by name. */
    errors: Record<
      string,
      {
        /** A number of `ErrorCode`. */
        code: number
        /** The meaning of the error. */
        message: string
      }
    >
  }
}

/** The `info` of an OpenRPC document. */
export interface OpenRpcInfo {
  /** Default `flashrpc server`, or `flashrpc client`. */
  title: string
  /** The version of the program, not of the protocol. Default `0.0.0`. */
  version: string
  /** A description of the program for people. */
  description?: string
}

/** A method, a notification or a stream in a document of OpenRPC. */
export interface OpenRpcMethod extends ParamsDescription {
  /** The name of the method. */
  name: string
  /** Missing for a notification. */
  result?: {
    /** OpenRPC wants a name. */
    name: 'result'
    /** The schema of the result; `true`: any. */
    schema: JsonSchema | true
  }
  /** The schema of an item; only streams have it. */
  'x-flashrpc-item'?: JsonSchema | true
  /** The schema of an item of the input stream. */
  'x-flashrpc-input'?: JsonSchema | true
  /** The schema of a progress value. */
  'x-flashrpc-progress'?: JsonSchema | true
}

/** A method's own part of the document, and the schemas that it refers to. */
interface Description {
  readonly method: OpenRpcMethod
  readonly schemas: Readonly<Record<string, JsonSchema>>
}

/** Combines the descriptions of these methods. Without a contract, only their names are known. */
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
  /** A schema that refers to itself becomes a component, so that its references have a target. */
  const describe = (part: string, schema: Schema): { schema: JsonSchema; root: JsonSchema } => {
    const component = `${componentName(name)}.${part}`
    const place = `#/components/schemas/${component}`
    const moved = moveReferences(toJsonSchema(schema), place)
    if (!moved.hasAny) return { schema: moved.schema, root: moved.schema }
    schemas[component] = moved.schema
    return { schema: { $ref: place }, root: moved.schema }
  }
  const describePart = (part: keyof typeof parts) => {
    const schema = parts[part]
    return schema && describe(part, schema).schema
  }
  const method: OpenRpcMethod = {
    name,
    ...describeParams(
      params && describe('params', params),
      params !== undefined && takesNothing(params),
    ),
  }
  if (definition.kind === 'method') {
    method.result = { name: 'result', schema: describePart('result') ?? true }
  } else if (definition.kind === 'stream') {
    // The answer to the call only says that the last item has come.
    method.result = { name: 'result', schema: { type: 'null' } }
    method['x-flashrpc-item'] = describePart('item') ?? true
  }
  for (const part of ['input', 'progress'] as const) {
    const schema = describePart(part)
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

/** The names of components consist of letters, digits, `_`, `.` and `-`. The names of two methods stay different. */
function componentName(name: string): string {
  return name.replaceAll(/[^\w.]/g, (letter) => `-${letter.charCodeAt(0).toString(16)}-`)
}

/** The errors that a call can be answered with: docs/protocol.md, "Error codes". */
const ERRORS = {
  invalidRequest: describeError('invalidRequest', 'No valid request, or its id is in use'),
  methodNotFound: describeError('methodNotFound', 'No such method, or nobody handles it now'),
  invalidParams: describeError(
    'invalidParams',
    'The params break the schema: data.issues says where',
  ),
  internal: describeError('internal', 'The handler failed'),
  unauthorized: describeError('unauthorized', 'This caller may not call this method'),
  overloaded: describeError('overloaded', 'A limit stands in the way'),
  shuttingDown: describeError('shuttingDown', 'The server leaves, and did not run the call'),
  uncertain: describeError('uncertain', 'What came of a call with this key can’t be describeError'),
  keyReused: describeError('keyReused', 'The key belongs to another call'),
  cancelled: describeError('cancelled', 'The call was cancelled by its caller'),
}

function describeError(
  name: keyof typeof ErrorCode,
  message: string,
): { code: number; message: string } {
  return { code: ErrorCode[name], message }
}
