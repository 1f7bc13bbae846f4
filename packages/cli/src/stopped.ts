import { ExitCode } from './exit-code.js'
import { say } from './output.js'

/** The program was told to end before it was done, or its output is not read any more. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * Listens for the events that end the program: Ctrl-C, `kill`, and the end of the program that reads the output (`|
 * head -1`).
 *
 * @returns a signal that aborts with a {@link Stopped}. A second Ctrl-C ends the program at once.
 */
export function untilStopped(): AbortSignal {
  const stop = new AbortController()
  const onSignal = (message: string, exitCode: number) => () => {
    if (stop.signal.aborted) process.exit(exitCode)
    stop.abort(new Stopped(message, exitCode))
  }
  process.on('SIGINT', onSignal('Interrupted', ExitCode.interrupted))
  process.on('SIGTERM', onSignal('Terminated', ExitCode.terminated))
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // If the reader of the output has ended, that is not a failure.
    const isFailure = error.code !== 'EPIPE'
    if (isFailure) say(`flashrpc: what was printed could not be written: ${error.message}`)
    const exitCode = isFailure ? ExitCode.failed : ExitCode.ok
    stop.abort(new Stopped('Nothing can be printed any more', exitCode))
    // The error may come after all else is done.
    if (isFailure) process.exitCode = exitCode
  })
  return stop.signal
}

/** @returns the result of the promise. Rejects with the signal's reason if the signal aborts first. */
export function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onStop = () => reject(signal.reason)
    if (signal.aborted) return onStop()
    signal.addEventListener('abort', onStop, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onStop))
  })
}
