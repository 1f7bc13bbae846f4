import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { method } from './contract.js'

type JsonSchema = Record<string, unknown>

const TEXT: JsonSchema = { type: 'string' }

/**
 * Definitions of the methods that `utilityMethods()` (in `@flashrpc/core/server`) serves, for a
 * contract: `server: { ...utilityDefinitions, … }`. Off unless asked for.
 */
export const utilityDefinitions = {
  /** Answers `pong`. */
  ping: method({ result: schema(isString, 'a string', TEXT) }),
  /** Answers the text it was sent. */
  echo: method({
    params: schema(
      (value): value is EchoParams => isString(member(value, 'text')),
      '{ text }',
      object({ text: TEXT }),
    ),
    result: schema(isString, 'a string', TEXT),
  }),
  /** Says which process serves. */
  processDetails: method({
    result: schema(
      isProcessDetails,
      '{ pid, command, workingDirectory }',
      object({
        pid: { type: 'integer' },
        command: { type: 'array', items: TEXT },
        workingDirectory: TEXT,
      }),
    ),
  }),
  /** Has the caller called back: its method of this name, with these params. Answers its result. */
  callMeBack: method({
    params: schema(
      (value): value is CallMeBackParams => isString(member(value, 'method')),
      '{ method, params? }',
      object({ method: TEXT }, { params: {} }),
    ),
  }),
} as const

/** What `echo` takes. */
export interface EchoParams {
  /** The text to answer. */
  text: string
}

/** What `callMeBack` takes. */
export interface CallMeBackParams {
  /** The method of the caller. */
  method: string
  /** The params of that method. */
  params?: unknown
}

/** What `processDetails` answers. */
export interface ProcessDetails {
  /** The process's number. */
  pid: number
  /** The command line, its parts. */
  command: string[]
  /** The folder that the process runs in. */
  workingDirectory: string
}

function object(
  required: Record<string, JsonSchema>,
  optional?: Record<string, JsonSchema>,
): JsonSchema {
  const properties = { ...required, ...optional }
  return { type: 'object', properties, required: Object.keys(required) }
}

/** A Standard Schema of a type guard; says itself as JSON Schema. Source: https://standardschema.dev. */
function schema<T>(
  guard: (value: unknown) => value is T,
  expected: string,
  json: JsonSchema,
): StandardSchemaV1<T, T> & StandardJSONSchemaV1<T, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'flashrpc',
      validate: (value) =>
        guard(value) ? { value } : { issues: [{ message: `expected ${expected}` }] },
      // With keywords that all drafts have.
      jsonSchema: { input: () => json, output: () => json },
    },
  }
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isProcessDetails(value: unknown): value is ProcessDetails {
  const command = member(value, 'command')
  return (
    Number.isInteger(member(value, 'pid')) &&
    Array.isArray(command) &&
    command.every(isString) &&
    isString(member(value, 'workingDirectory'))
  )
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
