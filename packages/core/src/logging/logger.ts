import { guarded } from '../base/guarded.js'
import { RpcConfigError } from '../errors/errors.js'
import { plainLines } from '../errors/quoted.js'
import type { ErrorContext } from './error-context.js'

/**
 * The functions of a logger that are used, as `console`, winston and others have them. The first argument is a string.
 * If something has failed, the second argument is an object that says where. `debug` logs connections; `warn` logs
 * refusals, failed attempts and connections that ended badly; `error` logs failures that are not reported to a caller.
 * pino takes the object first: `{ error: (text, context) => log.error(context ?? {}, text), … }`.
 */
export interface Logger {
  /** Logs the course of connections. */
  debug(message: string, context?: ErrorContext): unknown
  /** Logs refusals, failed attempts, and connections that ended badly. */
  warn(message: string, context?: ErrorContext): unknown
  /** Logs failures that are not reported to a caller. */
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

/** Prints what is logged if there is no logger. */
export interface Printer {
  /** Whether texts of this level are printed. */
  accepts(level: keyof Logger): boolean
  print(level: keyof Logger, text: string, context: ErrorContext | undefined): void
}

/** Where to log. */
export interface LogTarget {
  readonly logger?: LoggerOption | undefined
  /** Used if `logger` is undefined; without it, nothing is logged then. */
  readonly printer: Printer | undefined
}

/**
 * Logs if the option allows it. A logger that fails affects nothing else.
 *
 * @param message a text, or a function that makes it, which is not called if nothing is logged.
 * @param channelId the channel's id for the line of a logger; a printer does not print it.
 */
export function logTo(
  { logger, printer }: LogTarget,
  level: keyof Logger,
  message: string | (() => string),
  context?: ErrorContext,
  channelId?: string,
): void {
  if (logger === false || !(logger || printer?.accepts(level))) return
  const write = () => {
    const text = plainLines(typeof message === 'string' ? message : message())
    if (!logger) return printer?.print(level, `flashrpc: ${text}`, context)
    const line = `flashrpc: ${channelId === undefined ? '' : `channel ${channelId}: `}${text}`
    return context ? logger[level](line, context) : logger[level](line)
  }
  // If the logger itself fails, this can't be reported.
  guarded(write, () => {})
}
