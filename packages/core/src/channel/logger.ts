import { describeThrown, RpcError } from '../errors.js'
import { plain, plainLines } from '../quoted.js'
import { guarded } from './guarded.js'

/**
 * As much of a logger as is used: that of `console`, pino, winston and others. Each call is one
 * string; `debug` tells of connections, `warn` of attempts and refusals that failed, `error` of what
 * nobody else is told of.
 */
export interface Logger {
  debug(message: string): unknown
  warn(message: string): unknown
  error(message: string): unknown
}

/** Logs; a logger that fails harms nothing else. */
export function log(logger: Logger | undefined, level: keyof Logger, message: string): void {
  // If the logger itself fails, there is nobody left to tell.
  if (logger)
    guarded(
      () => logger[level](plainLines(`flashrpc: ${message}`)),
      () => {},
    )
}

/** What was thrown, with the place where it was, where that is known. Never throws itself. */
export function describeWithStack(thrown: unknown): string {
  try {
    if (thrown instanceof Error && typeof thrown.stack === 'string') {
      const { stack, message } = thrown
      if (!(thrown instanceof RpcError)) return stack
      // On one line, because the text may be the other side's. (Errors of this library already quote such texts.)
      const most = thrown.constructor === RpcError ? 200 : 1_000
      return stack.replace(message, () => plain(message, most))
    }
  } catch {
    // Whatever it is, it has a description.
  }
  return describeThrown(thrown)
}
