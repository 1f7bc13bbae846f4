import { describeThrown, RpcError } from '../errors/errors.js'
import { plain, quoted } from '../errors/quoted.js'
import type { ErrorContext, ErrorPhase } from './error-context.js'

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

/** @returns a line for the log and, below it, the stack if it leads to the application. */
export function describeFailure(thrown: unknown, { method, hook, phase }: ErrorContext): string {
  const name = method === undefined ? hook : quoted(method)
  const head = name === undefined ? '' : HEADS[phase].replace('*', () => name)
  return WITHOUT_STACK.has(phase)
    ? head + plain(describeThrown(thrown), 1_000)
    : head + describeWithStack(thrown)
}

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
