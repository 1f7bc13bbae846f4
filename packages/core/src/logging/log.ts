import { consolePrinter } from './console-logger.js'
import { describeFailure } from './describe-failure.js'
import type { ErrorContext } from './error-context.js'
import { type Logger, type LoggerOption, logTo } from './logger.js'

/** Logs if the option allows it; without a logger, to the console. A logger that fails affects nothing else. */
export function log(
  logger: LoggerOption | undefined,
  level: keyof Logger,
  message: string | (() => string),
  context?: ErrorContext,
): void {
  logTo({ logger, printer: consolePrinter }, level, message, context)
}

/** Logs a failure and its context. Never throws. */
export function logFailure(
  logger: LoggerOption | undefined,
  thrown: unknown,
  context: ErrorContext,
): void {
  logTo(
    { logger, printer: consolePrinter },
    'error',
    () => describeFailure(thrown, context),
    context,
  )
}
