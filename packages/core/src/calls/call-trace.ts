/** The place where a call was made, for the stack of its error. */
export interface CallTrace {
  /** The stack in the engine's own format, made when it is first read. */
  readonly stack?: string
}

/** The function that an application calls. The stack begins at its caller: this library's own calls are left out. */
export type Entry = (...args: never[]) => unknown

/**
 * The key of a client's method that returns where a call is being made, and of the option of a call that carries the
 * place.
 */
export const TRACE = Symbol.for('flashrpc.trace')

/** @param entry the function that the application has called and that runs now; undefined if that is not known. */
export function traceFrom(entry: Entry | undefined): CallTrace {
  const { captureStackTrace } = Error as {
    captureStackTrace?: (target: object, entry: Entry | undefined) => void
  }
  if (!captureStackTrace) return { stack: new Error().stack ?? '' }
  const trace: CallTrace = {}
  captureStackTrace(trace, entry)
  return trace
}

/** Makes the stack of an error show where its call was made, and not where the error was made. */
export function showCaller(error: unknown, trace: CallTrace): void {
  if (!(error instanceof Error) || !trace.stack) return
  const { stack } = trace
  const at = stack.indexOf(FRAME_OF_V8)
  if (at >= 0) error.stack = `${error.name}: ${error.message}${stack.slice(at)}`
  // Without such a line, the platform itself has called.
  else if (FRAME_OF_OTHERS.test(stack)) error.stack = stack
}

/** V8 writes a line for the error ahead of the frames; other engines write frames alone. */
const FRAME_OF_V8 = '\n    at '
const FRAME_OF_OTHERS = /:\d+:\d+$/m
