import { guarded } from '../base/guarded.js'
import { describeThrown, RpcConfigError, RpcError } from '../errors/errors.js'
import { plain, plainLines } from '../errors/quoted.js'
import { printToConsole } from './console-logger.js'
import type { ErrorContext, ErrorPhase } from './error-context.js'
import { isProduction } from './production.js'

/**
 * The functions of a logger that are used, as `console`, winston and others have them. The first argument is a string.
 * If something has failed, the second argument is an object that says where. `debug` logs connections; `warn` logs
 * refusals, failed attempts and connections that ended badly; `error` logs failures that are not reported to a caller.
 * pino takes the object first: `{ error: (text, context) => log.error(context ?? {}, text), … }`.
 */
export interface Logger {
  debug(message: string, context?: ErrorContext): unknown
  warn(message: string, context?: ErrorContext): unknown
  error(message: string, context?: ErrorContext): unknown
}

/**
 * The option `logger`: where to log. If it is left out, warnings and errors go to the console, each text once a second
 * at most, unless the program runs in production; `false` logs nothing.
 */
export type LoggerOption = Logger | false

/** @throws {RpcConfigError} if it is not a logger. */
export function assertLogger(logger: unknown): void {
  if (logger === undefined || logger === false) return
  const { debug, warn, error } = (logger ?? {}) as Partial<Record<keyof Logger, unknown>>
  if ([debug, warn, error].every((one) => typeof one === 'function')) return
  throw new RpcConfigError(
    'logger must have the functions debug, warn and error, such as console, or be false',
  )
}

/**
 * Logs if the option allows it. A logger that fails affects nothing else.
 *
 * @param message a text, or a function that makes it, which is not called if nothing is logged.
 * @param channelId the channel's id for the line of a logger; the console does not print it.
 */
export function log(
  logger: LoggerOption | undefined,
  level: keyof Logger,
  message: string | (() => string),
  context?: ErrorContext,
  channelId?: string,
): void {
  if (logger === false || (!logger && (level === 'debug' || isProduction()))) return
  const write = () => {
    const text = plainLines(typeof message === 'string' ? message : message())
    if (!logger) {
      const isOfOthers = level === 'warn' || OF_OTHERS.has(context?.phase)
      return printToConsole(level as 'warn' | 'error', `flashrpc: ${text}`, isOfOthers)
    }
    const line = `flashrpc: ${channelId === undefined ? '' : `channel ${channelId}: `}${text}`
    return context ? logger[level](line, context) : logger[level](line)
  }
  // If the logger itself fails, this can't be reported.
  guarded(write, () => {})
}

/** Phases of errors that the other side can cause at will, by what it sends. */
const OF_OTHERS: ReadonlySet<ErrorPhase | undefined> = new Set(['params', 'refused', 'frame'])

/** The most errors of a chain of causes that are described. */
const MOST_CAUSES = 3

/** @returns the description of a thrown value and its causes, each with its stack, if there is one. Never throws. */
export function describeWithStack(thrown: unknown): string {
  const texts: string[] = []
  for (let next = thrown; texts.length <= MOST_CAUSES; next = causeOf(next)) {
    if (next === undefined && texts.length > 0) break
    texts.push(stackOf(next))
  }
  return texts.join('\ncaused by: ')
}

function causeOf(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? thrown.cause : undefined
  } catch {
    return undefined
  }
}

function stackOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error && typeof thrown.stack === 'string') {
      const { stack, message } = thrown
      if (!(thrown instanceof RpcError)) return stack
      // On one line, because the text may be the other side's. (Errors of this library already quote such texts.)
      const most = thrown.constructor === RpcError ? 200 : 1_000
      return stack.replace(message, () => plain(message, most))
    }
  } catch {
    // Every value has a description.
  }
  return describeThrown(thrown)
}
