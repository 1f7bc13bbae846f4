import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPlain } from '../base/is-plain.js'
import { assertOptions } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf, type OptionKinds } from '../errors/options.js'

/** Any Standard Schema: zod, valibot, arktype and others. Source: https://standardschema.dev. */
export type Schema = StandardSchemaV1

/** A schema, or undefined where a definition has none. */
export type MaybeSchema = Schema | undefined

/** A method: called with params, answered with a result. */
export interface MethodDefinition<
  Params extends MaybeSchema = MaybeSchema,
  Result extends MaybeSchema = MaybeSchema,
  Input extends MaybeSchema = MaybeSchema,
  Progress extends MaybeSchema = MaybeSchema,
> {
  /** Tells methods from streams and notifications. */
  readonly kind: 'method'
  /** The schema of the params; undefined if the method takes none. */
  readonly params: Params
  /** The schema of the result; undefined if it is not checked. */
  readonly result: Result
  /** The schema of each item that the caller sends along; undefined if it sends none. */
  readonly input: Input
  /** The schema of the progress; undefined if the method reports none. */
  readonly progress: Progress
}

/** A stream: called with params, answered with items, as many as are taken. */
export interface StreamDefinition<
  Params extends MaybeSchema = MaybeSchema,
  Item extends MaybeSchema = MaybeSchema,
  Input extends MaybeSchema = MaybeSchema,
> {
  /** Tells streams from methods and notifications. */
  readonly kind: 'stream'
  /** The schema of the params; undefined if the stream takes none. */
  readonly params: Params
  /** The schema of each item; undefined if items are not checked. */
  readonly item: Item
  /** The schema of each item that the caller sends along; undefined if it sends none. */
  readonly input: Input
}

/** A notification: sent with params, never answered. */
export interface NotificationDefinition<Params extends MaybeSchema = MaybeSchema> {
  /** Tells notifications from methods and streams. */
  readonly kind: 'notification'
  /** The schema of the params; undefined if the notification carries nothing. */
  readonly params: Params
}

/** What one side of a contract can hold. */
export type Definition = MethodDefinition | StreamDefinition | NotificationDefinition

/** One side of a contract: the methods of that side, and groups of methods, by name. */
export interface ContractSide {
  /** A method, or a group of methods and groups. */
  readonly [name: string]: Definition | ContractSide
}

/** All methods of a side by their names on the wire: those of groups by their paths, such as `users.get`. */
export type FlatSide = Readonly<Record<string, Definition>>

/** The two sides of a connection. */
export type Side = 'server' | 'client'

/** What both sides agreed on: what the server offers its clients, and the clients their server. */
export interface Contract<
  Server extends ContractSide = ContractSide,
  Client extends ContractSide = ContractSide,
> {
  /** What clients may call. */
  readonly server: Server
  /** What the server may call. */
  readonly client: Client
}

/**
 * Defines a method.
 *
 * @param definition `params`: a schema for the one argument, an object of named params (none: the
 *   method takes no params). `result`: a schema for the value (none: the value is passed on
 *   unchecked, as `unknown`). `input`: a schema for each item of a stream that the caller sends along
 *   (none: it sends none). `progress`: a schema for how far a call has come (none: it does not say).
 *   Params and input are validated by the callee, the result and the progress by the caller.
 * @throws {RpcConfigError} if a part is unknown, or is not a Standard Schema.
 */
export function method<
  const D extends {
    /** A schema for the params. */
    params?: Schema
    /** A schema for the result. */
    result?: Schema
    /** A schema for each item that the caller sends along. */
    input?: Schema
    /** A schema for the progress. */
    progress?: Schema
  } = Record<never, never>,
>(
  definition?: D,
): MethodDefinition<
  PartOf<D, 'params'>,
  PartOf<D, 'result'>,
  PartOf<D, 'input'>,
  PartOf<D, 'progress'>
> {
  assertParts('method', definition, METHOD_PARTS)
  return Object.freeze({
    kind: 'method' as const,
    params: definition?.params as PartOf<D, 'params'>,
    result: definition?.result as PartOf<D, 'result'>,
    input: definition?.input as PartOf<D, 'input'>,
    progress: definition?.progress as PartOf<D, 'progress'>,
  })
}

/**
 * Defines a stream.
 *
 * @param definition `params` and `input`: as a method's. `item`: a schema for each item (none: items
 *   are passed on unchecked, as `unknown`), validated by the caller.
 */
export function stream<
  const D extends {
    /** A schema for the params. */
    params?: Schema
    /** A schema for each item. */
    item?: Schema
    /** A schema for each item that the caller sends along. */
    input?: Schema
  } = Record<never, never>,
>(definition?: D): StreamDefinition<PartOf<D, 'params'>, PartOf<D, 'item'>, PartOf<D, 'input'>> {
  assertParts('stream', definition, STREAM_PARTS)
  return Object.freeze({
    kind: 'stream' as const,
    params: definition?.params as PartOf<D, 'params'>,
    item: definition?.item as PartOf<D, 'item'>,
    input: definition?.input as PartOf<D, 'input'>,
  })
}

/**
 * Defines a notification.
 *
 * @param definition `params`: a schema for the one argument, validated by the receiver (none: the
 *   notification carries nothing).
 */
export function notification<
  const D extends {
    /** A schema for the params. */
    params?: Schema
  } = Record<never, never>,
>(definition?: D): NotificationDefinition<PartOf<D, 'params'>> {
  assertParts('notification', definition, NOTIFICATION_PARTS)
  return Object.freeze({
    kind: 'notification' as const,
    params: definition?.params as PartOf<D, 'params'>,
  })
}

/**
 * One schema of a definition; `undefined` if the definition has none. It is inferred from the whole definition. If each
 * part had a type parameter of its own, TypeScript would infer a part that is left out from the contract around it, as
 * any schema, and the method would take any params.
 */
export type PartOf<D, K extends string> = D extends { readonly [P in K]: infer S extends Schema }
  ? S
  : undefined

/**
 * Puts the two sides of a contract together. Both programs import the result, so it belongs in a
 * module of its own that imports nothing of either.
 *
 * A side may have groups of methods, to any depth: `server: { users: { get: method() } }`. Then the method's name on
 * the wire is its path, `users.get`, and it is called with `client.other.users.get()`.
 *
 * @throws {RpcConfigError} if a side is neither `server` nor `client`; if a name can't be a method's, or has a dot
 *   where there are groups; if a definition is not valid; and if a part of one is neither left out nor a Standard
 *   Schema.
 */
export function defineContract<
  const Server extends ContractSide = Record<never, never>,
  const Client extends ContractSide = Record<never, never>,
>(sides: { server?: Server; client?: Client }): Contract<Server, Client> {
  assertOptions('defineContract', sides, SIDES)
  return Object.freeze({
    server: defineSide<Server>('server', sides.server),
    client: defineSide<Client>('client', sides.client),
  })
}

const SIDES = { server: 'object', client: 'object' } as const satisfies OptionKinds<Contract>

const PARTS = ['params', 'result', 'item', 'input', 'progress'] as const

/** The parts of a definition that are schemas; not every kind has every part. */
export type Part = (typeof PARTS)[number]

type KindsOfParts<D> = OptionKinds<Omit<D, 'kind'>>
const METHOD_PARTS = {
  params: 'elsewhere',
  result: 'elsewhere',
  input: 'elsewhere',
  progress: 'elsewhere',
} as const satisfies KindsOfParts<MethodDefinition>
const STREAM_PARTS = {
  params: 'elsewhere',
  item: 'elsewhere',
  input: 'elsewhere',
} as const satisfies KindsOfParts<StreamDefinition>
const NOTIFICATION_PARTS = {
  params: 'elsewhere',
} as const satisfies KindsOfParts<NotificationDefinition>

const KINDS: ReadonlySet<unknown> = new Set(['method', 'stream', 'notification'])

/** Whether a member of a side is a definition. In a group, `kind` may be the name of a method. */
export function isDefinition(member: unknown): member is Definition {
  return KINDS.has((member as Partial<Definition> | null | undefined)?.kind)
}

function defineSide<S extends ContractSide>(side: Side, definitions: S | undefined): S {
  return defineGroup(side, definitions ?? {}, '') as S
}

/** @returns a frozen copy of a side, or of a group in it, whose members were checked. */
function defineGroup(side: Side, group: object, prefix: string): ContractSide {
  const members: Record<string, Definition | ContractSide> = {}
  for (const [name, member] of Object.entries(group)) {
    const path = prefix + name
    const where = `"${path}" in the contract's ${side} side`
    assertMethodName(name, path)
    if (isDefinition(member)) {
      const dot = name.indexOf('.')
      if (dot > -1 && (prefix || isGroup((group as ContractSide)[name.slice(0, dot)]))) {
        throw dotted(where, path)
      }
      for (const part of PARTS) {
        assertSchema((member as Partial<Record<Part, unknown>>)[part], part, where, path)
      }
      members[name] = member
    } else if (isGroup(member)) {
      if (name.includes('.')) {
        throw dotted(where, path)
      }
      members[name] = defineGroup(side, member, `${path}.`)
    } else {
      throw new RpcConfigError(
        `${where} is not a definition. Write method({ … }), stream({ … }) or notification({ … }), or an object of them`,
        { method: path },
      )
    }
  }
  return Object.freeze(members)
}

function dotted(where: string, path: string): RpcConfigError {
  return new RpcConfigError(
    `${where} has a dot in its name. Dots separate groups: write users: { get: … } for "users.get"`,
    { method: path },
  )
}

/** Whether a member of a side is a group. An object with schemas, or with none at all, is meant as a definition. */
function isGroup(member: unknown): boolean {
  if (!isPlain(member) || typeof member.kind === 'string') return false
  const members = Object.values(member)
  return members.length > 0 && !members.some(isSchema)
}

type Kind = Definition['kind']

/** Throws if a part is unknown, or is not a schema. The stack then leads to the definition; its name is not known yet. */
function assertParts(kind: Kind, definition: object | undefined, parts: object): void {
  if (definition === undefined) return
  // The definition may be a copy of another one, with changes.
  const isCopy = Object.hasOwn(Object(definition), 'kind')
  assertOptions(kind, definition, isCopy ? { ...parts, kind: 'elsewhere' } : parts)
  for (const part of Object.keys(parts) as Part[]) {
    assertSchema((definition as Partial<Record<Part, unknown>>)[part], part, `a ${kind}`)
  }
}

/** Throws if a part of a definition is present and is not a schema. */
function assertSchema(schema: unknown, part: Part, where: string, method?: string): void {
  if (schema === undefined || isSchema(schema)) return
  const isObject = typeof schema === 'object' && schema !== null
  const what = isObject ? 'an object without "~standard"' : String(schema)
  throw new RpcConfigError(
    `${part} of ${where} is not a schema: it is ${what}. Use a schema of zod, valibot, arktype or another library with Standard Schema, or leave it out. A TypeBox type and a plain JSON Schema need an adapter`,
    { method },
  )
}

/** In some libraries, schemas are functions. */
function isSchema(value: unknown): boolean {
  const standard = (value as Partial<Schema> | null)?.['~standard']
  return typeof standard?.validate === 'function'
}

/**
 * Names that JavaScript itself reads of an object that is awaited, serialised or printed; `other`
 * must not turn such a read into a call, so no method of a contract can have them.
 */
const UNCALLABLE = new Set(['then', 'catch', 'finally', 'toJSON', '$$typeof'])

/**
 * Checks that a name can be a method's. Not allowed: the empty name, `rpc.` first (JSON-RPC 2.0,
 * section 4, reserves it), `_` first (private by convention), what every object inherits
 * (`constructor`, `__proto__`, `toString` …), and `then`, `catch`, `finally`, `toJSON`, `$$typeof`.
 *
 * @param path the name with those of its groups before it.
 * @throws {RpcConfigError} naming the rule.
 */
export function assertMethodName(name: string, path: string = name): void {
  if (typeof name !== 'string') {
    throw new RpcConfigError(`A method's name is a string, not ${kindOf(name)}`)
  }
  const refuse = (why: string): never => {
    throw new RpcConfigError(`"${path}" can't be a method's name: ${why}. Choose another name`, {
      method: path,
    })
  }
  if (name === '') refuse('it is empty')
  if (path.startsWith('rpc.')) refuse('names that begin with "rpc." belong to the protocol')
  if (name.startsWith('_')) refuse('names that begin with "_" are private')
  if (name in Object.prototype) refuse('every JavaScript object has a member of that name')
  if (UNCALLABLE.has(name)) refuse('JavaScript reads it of any value that is awaited or printed')
}

/** Whether `other[name]` is a call, if there is no contract. */
export function isCallableName(name: string): boolean {
  return !(name in Object.prototype) && !UNCALLABLE.has(name)
}
