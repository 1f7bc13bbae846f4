import type { StandardSchemaV1 } from '@standard-schema/spec'
import { method } from './contract.js'

/**
 * Definitions of the methods that `utilityMethods()` (in `@flashrpc/core/server`) serves, for a
 * contract: `server: { ...utilityDefinitions, … }`. Off unless asked for.
 */
export const utilityDefinitions = {
  /** Answers `pong`. */
  ping: method({ result: schema(isString, 'a string') }),
  /** Answers the text it was sent. */
  echo: method({
    params: schema(
      (value): value is { text: string } => isString(member(value, 'text')),
      '{ text }',
    ),
    result: schema(isString, 'a string'),
  }),
  /** Says which process serves. */
  processDetails: method({
    result: schema(isProcessDetails, '{ pid, command, workingDirectory }'),
  }),
  /** Has the caller called back: its method of this name, with these params. Answers its result. */
  callMeBack: method({
    params: schema(
      (value): value is { method: string; params?: unknown } => isString(member(value, 'method')),
      '{ method, params? }',
    ),
  }),
} as const

/** What `processDetails` answers. */
export interface ProcessDetails {
  /** The process's number. */
  pid: number
  /** The command line, its parts. */
  command: string[]
  workingDirectory: string
}

/** A Standard Schema of a type guard. Source: https://standardschema.dev, version 1. */
function schema<T>(
  guard: (value: unknown) => value is T,
  expected: string,
): StandardSchemaV1<T, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'flashrpc',
      validate: (value) =>
        guard(value) ? { value } : { issues: [{ message: `expected ${expected}` }] },
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
