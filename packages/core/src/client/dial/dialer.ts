import type { Transport } from '../../transport/transport.js'
import type { Attempt } from './attempt.js'
import type { Failure } from './failure.js'

/** Makes connections, one for each attempt. */
export interface Dialer {
  /** Whether another attempt may bring other credentials after a 401. */
  readonly canRefresh: boolean
  /**
   * Makes a connection. Rejects with a `DialError` if it knows more about the failure than the message of an error, and
   * as soon as the attempt is given up. A connection that is made after that is closed by the dialer.
   */
  dial(attempt: Attempt): Promise<Transport>
  /** Closes what is still open on the wire. Resolves when it is closed. */
  close?(): Promise<void>
}

/** The reason for a failed attempt, with all that the dialer knows about it. */
export class DialError extends Error {
  override readonly name = 'DialError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}
