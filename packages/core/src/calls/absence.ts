/** Describes the time without a connection, for the error of a call that waited for a connection in vain. */
export interface Absence {
  readonly text: string
  /** Whether there was never a connection. */
  readonly isFirst: boolean
  readonly cause: unknown
}
