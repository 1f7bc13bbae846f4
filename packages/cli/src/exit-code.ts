/** The exit codes of the program: docs/guide/cli.md, "Exit codes". */
export const ExitCode = {
  ok: 0,
  /** The call ended with an error. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No connection came about, or it was lost. */
  disconnected: 3,
  /** No answer came in time. */
  timedOut: 4,
  /** 128 and the signal's number, as shells have it. */
  interrupted: 130,
  terminated: 143,
} as const
