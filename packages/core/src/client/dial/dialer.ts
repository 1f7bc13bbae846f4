import type { Transport } from '../../transport/transport.js'
import type { Attempt } from './attempt.js'
import type { Failure } from './failure.js'

/** Makes connections, one for each attempt. */
export interface Dialer {
  /** Whether another attempt may bring other credentials after a 401. */
  readonly canRefresh: boolean
  /**
   * Makes a connection. Rejects with a `DialError` where it knows more of the failure than an error's message says, and
   * as soon as the attempt is given up; a connection that comes about later is closed by the dialer.
   */
  dial(attempt: Attempt): Promise<Transport>
  /** Closes what is still open on the wire. Resolves when it is closed. */
  close?(): Promise<void>
}

/** Why an attempt failed, with all that its dialer knows. */
export class DialError extends Error {
  override readonly name = 'DialError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}
