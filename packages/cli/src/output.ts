import { once } from 'node:events'
import { plainLines } from '@flashrpc/core/internal'
import { toJson } from './json.js'

/** What the program prints: data on stdout, words on stderr. Data is JSON, one value a line, or for people. */
export interface OutputFlags {
  pretty?: true
  json?: true
}

/** Whether people read it: on a terminal, unless the command line says otherwise. */
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

/** Prints a line. Characters that can move a terminal's cursor are escaped as in JSON, whoever has written them. */
export function printLine(text: string): void {
  process.stdout.write(`${plainLines(text)}\n`)
}

/** Says something that is no data. */
export function say(text: string): void {
  process.stderr.write(`${plainLines(text)}\n`)
}
