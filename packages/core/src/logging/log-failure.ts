import { describeThrown } from '../errors/errors.js'
import { plain, quoted } from '../errors/quoted.js'
import type { ErrorContext, ErrorPhase } from './error-context.js'
import { describeWithStack, type LoggerOption, log } from './logger.js'

/** Logs a failure and its context. Never throws. */
export function logFailure(
  logger: LoggerOption | undefined,
  thrown: unknown,
  context: ErrorContext,
  channelId?: string,
): void {
  log(logger, 'error', () => describeFailure(thrown, context), context, channelId)
}

/** How a line begins, by the phase: `*` is the method, or the function of the application. */
const HEADS: Readonly<Record<ErrorPhase, string>> = {
  handler: '* failed: ',
  hook: '* failed: ',
  params: '* was dropped: ',
  refused: '* was dropped: ',
  progress: 'progress of * failed: ',
  source: 'a source of * failed: ',
  store: 'the idempotency store failed for *: ',
  // These texts name the method themselves, if there is one.
  send: '',
  answer: '',
  frame: '',
  connection: '',
}

/**
 * Phases without a stack in the log: it would lead into this library only, and the text may be about a message of the
 * other side.
 */
const WITHOUT_STACK: ReadonlySet<ErrorPhase> = new Set(['params', 'refused', 'frame', 'send'])

/** @returns a line and, below it, the stack if it leads to the application. */
function describeFailure(thrown: unknown, { method, hook, phase }: ErrorContext): string {
  const name = method === undefined ? hook : quoted(method)
  const head = name === undefined ? '' : HEADS[phase].replace('*', () => name)
  return WITHOUT_STACK.has(phase)
    ? head + plain(describeThrown(thrown), 1_000)
    : head + describeWithStack(thrown)
}
