import type { CallTrace, Entry } from '../../calls/diagnostics.js'

/** The place where a call was made, for the stack of its error. */
class StackTrace implements CallTrace {
  /** The stack in the engine's own format, made when it is first read. */
  declare readonly stack?: string

  constructor(stack?: string) {
    if (stack !== undefined) this.stack = stack
  }

  show(error: unknown): void {
    const { stack } = this
    if (!(error instanceof Error) || !stack) return
    const at = stack.indexOf(FRAME_OF_V8)
    if (at >= 0) error.stack = `${error.name}: ${error.message}${stack.slice(at)}`
    // Without such a line, the platform itself has called.
    else if (FRAME_OF_OTHERS.test(stack)) error.stack = stack
  }
}

/** @param entry the function that the application has called and that runs now; undefined if that is not known. */
export function traceFrom(entry: Entry | undefined): CallTrace {
  const { captureStackTrace } = Error as {
    captureStackTrace?: (target: object, entry: Entry | undefined) => void
  }
  if (!captureStackTrace) return new StackTrace(new Error().stack ?? '')
  const trace = new StackTrace()
  captureStackTrace(trace, entry)
  return trace
}

/** V8 writes a line for the error ahead of the frames; other engines write frames alone. */
const FRAME_OF_V8 = '\n    at '
const FRAME_OF_OTHERS = /:\d+:\d+$/m
