import { parseArgs } from 'node:util'
import { UsageError } from '../server/arguments.js'

/** What `demo:desktop` is told. */
export interface LaunchArguments {
  readonly help: boolean
  /** The folder to watch, as it was written. */
  readonly folder: string | undefined
}

/** @throws {UsageError} saying what is wrong, and what would be right. */
export function readLaunchArguments(args: readonly string[]): LaunchArguments {
  const { values, positionals } = parse(args)
  if (positionals.length > 1) throw new UsageError('Name one folder, or none. See --help.')
  return { help: values.help ?? false, folder: positionals[0] }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. See --help.`)
  }
}
