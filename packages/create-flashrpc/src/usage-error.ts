/** The command line is wrong, or its folder can't be used; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
