import { once } from 'node:events'
import { plainLines } from '@flashrpc/core/internal'
import { toJson } from './json.js'

/**
 * The flags for the output. The program prints data on stdout and messages on stderr. Data is JSON, one value a line,
 * or text for people.
 */
export interface OutputFlags {
  pretty?: true
  json?: true
}

/** Whether people read the output: if it is a terminal, unless the command line says otherwise. */
export function isForPeople({ pretty, json }: OutputFlags): boolean {
  return pretty ?? (process.stdout.isTTY === true && !json)
}

/** Prints a value: indented for people. */
export function printValue(value: unknown, flags: OutputFlags): void {
  printLine(toJson(value, isForPeople(flags) ? 2 : 0))
}

/** Prints one of many values, as fast as they are read. */
export async function printItem(value: unknown): Promise<void> {
  if (!process.stdout.write(`${plainLines(toJson(value))}\n`)) await once(process.stdout, 'drain')
}

/**
 * Prints a line. Characters that can move a terminal's cursor are escaped as in JSON, as the text may come from
 * anyone.
 */
export function printLine(text: string): void {
  process.stdout.write(`${plainLines(text)}\n`)
}

/** Prints a message on stderr. */
export function say(text: string): void {
  process.stderr.write(`${plainLines(text)}\n`)
}
