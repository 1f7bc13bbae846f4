import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fromJson } from './json.js'
import { unlessStopped } from './stopped.js'
import { UsageError } from './usage-error.js'

/**
 * Reads the params of a call: an argument, or all of stdin.
 *
 * @returns undefined if there is no argument.
 * @throws {UsageError} if they are not JSON, or are neither an object nor an array.
 */
export async function readParams(
  argument: string | undefined,
  { stdin = false }: { stdin?: boolean | undefined },
  stop: AbortSignal,
): Promise<object | undefined> {
  if (stdin && argument !== undefined) {
    throw new UsageError('PARAMS come either as an argument or with --stdin, and not both')
  }
  const json = stdin ? await readAll(process.stdin, stop) : argument
  return json === undefined ? undefined : parseParams(json)
}

async function readAll(input: NodeJS.ReadStream, stop: AbortSignal): Promise<string> {
  try {
    return await unlessStopped(text(input), stop)
  } finally {
    // If it is still open, it would keep the program running.
    input.destroy()
  }
}

function parseParams(json: string): object {
  const params = parse('PARAMS', json)
  if (typeof params === 'object' && params !== null) return params
  throw new UsageError(
    `PARAMS must be an object of named params, such as '{"a":5}'; they are ${json}`,
  )
}

/**
 * Reads the items of an input stream, a line each. Empty lines are skipped.
 *
 * @throws {UsageError} if a line is not JSON.
 */
export async function* readLines(stdin: NodeJS.ReadableStream): AsyncGenerator<unknown> {
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() !== '') yield parse('A line of standard input', line)
  }
}

/** @throws {UsageError} if the text is not JSON. */
export function parse(name: string, json: string): unknown {
  try {
    return fromJson(json)
  } catch (error) {
    throw new UsageError(`${name} must be JSON: ${(error as SyntaxError).message}`)
  }
}
