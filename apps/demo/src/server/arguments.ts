import { parseArgs } from 'node:util'

/** Where the demo is, unless it is told otherwise. */
const DEFAULT_PORT = 4321

/** What was written on the command line, or in the environment, and can't be meant. */
export class UsageError extends Error {}

/** What both commands are told. */
export interface Arguments {
  readonly port: number
  readonly help: boolean
  /** What is no option. */
  readonly words: readonly string[]
}

/** @throws {UsageError} saying what is wrong, and what would be right. */
export function readArguments(args: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  const { values, positionals } = parse(args)
  return {
    port: readPort(values.port ?? env.PORT),
    help: values.help ?? false,
    words: positionals,
  }
}

/** How a port is named in a command that the person will copy. */
export function portOption(port: number): string {
  return port === DEFAULT_PORT ? '' : ` --port ${port}`
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: 'string', short: 'p' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. See --help.`)
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new UsageError(
    `"${text}" is no port: choose a number from 1 to 65535, or 0 for any free one.`,
  )
}
