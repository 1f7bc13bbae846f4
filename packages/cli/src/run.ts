import { CommanderError } from 'commander'
import { ExitCode } from './exit-code.js'
import { describeFailure, exitCodeOf, failureAsJson } from './failure.js'
import { say } from './output.js'
import { createProgram } from './program.js'
import { untilStopped } from './stopped.js'
import { UsageError } from './usage-error.js'

/**
 * Runs the command that the arguments name.
 *
 * @returns the exit code.
 */
export async function run(args: readonly string[]): Promise<number> {
  const stop = untilStopped()
  const program = createProgram(stop)
  try {
    await program.parseAsync(args, { from: 'user' })
    return stop.aborted ? exitCodeOf(stop.reason) : ExitCode.ok
  } catch (thrown) {
    const isForPrograms = args.includes('--json')
    if (stop.aborted) return exitCodeOf(stop.reason)
    if (!(thrown instanceof CommanderError)) return fail(thrown, isForPrograms)
    // Help and version were asked for, and are printed.
    if (thrown.exitCode === 0) return ExitCode.ok
    // Nothing was asked for: the help says what can be.
    if (thrown.code === 'commander.help') return ExitCode.usage
    const what = thrown.message.replace(/^error: /, '')
    return fail(
      new UsageError(`${what} (flashrpc --help lists the commands and options)`),
      isForPrograms,
    )
  }
}

function fail(thrown: unknown, isForPrograms: boolean): number {
  say(isForPrograms ? failureAsJson(thrown) : describeFailure(thrown))
  return exitCodeOf(thrown)
}
