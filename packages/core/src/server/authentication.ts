import type { IncomingMessage } from 'node:http'
import { MAX_TIMER_MS } from '../base/max-timer.js'
import { assertOptions } from '../errors/assert-options.js'
import { describeThrown, ErrorCode, RpcConfigError, RpcError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import { CloseCode } from '../transport/close-codes.js'

/** The second argument of `authenticate`. */
export interface AuthenticateContext {
  /** Aborts when the result is not needed any more: the client has left, or the time is over. */
  readonly signal: AbortSignal
}

/** Finds out the identity of a client that asks for a connection. */
export type Authenticate<Identity> = (
  request: IncomingMessage,
  context: AuthenticateContext,
) => Identity | Promise<Identity>

/** The options of a refusal. */
export interface RejectUpgradeOptions extends ErrorOptions {
  /** How long the client should wait before it tries again, in seconds. */
  retryAfterSeconds?: number
}

const REJECT_OPTIONS = {
  cause: 'elsewhere',
  retryAfterSeconds: 'elsewhere',
} as const satisfies OptionKinds<RejectUpgradeOptions>

/**
 * Refuses a connection before it is made. Thrown by `authenticate`.
 *
 * A program gets the HTTP status as its answer. A page can't see it, because the WebSocket API hides it. So its
 * connection is accepted and closed at once, with 4401 for 401, 4403 for 403, 1013 for 429 and 503, 4400 for the other
 * 4xx and 1011 for the other 5xx.
 */
export class RejectUpgrade extends RpcError {
  override get '~flashrpc'(): string {
    return 'RejectUpgrade'
  }

  /** The HTTP status, 400 to 599. */
  readonly status: number
  /** How long the client should wait before it tries again, in seconds. */
  readonly retryAfterSeconds: number | undefined

  /**
   * @param status 401: the identity is not known; 403: it is known and not allowed; 429, 503: not now.
   * @param message for the client, at most 123 bytes of it to a page.
   * @throws {RpcConfigError} if the status is not that of a refusal, or `retryAfterSeconds` is not a time.
   */
  constructor(status: number, message: string, options: RejectUpgradeOptions = {}) {
    assertOptions('RejectUpgrade', options, REJECT_OPTIONS)
    if (!(Number.isInteger(status) && status >= 400 && status <= 599)) {
      throw new RpcConfigError(
        `RejectUpgrade takes an HTTP status from 400 to 599, not ${String(status)}`,
      )
    }
    const { retryAfterSeconds } = options
    if (retryAfterSeconds !== undefined && !(retryAfterSeconds >= 0 && retryAfterSeconds < 1e9)) {
      throw new RpcConfigError(
        `retryAfterSeconds must be a number of seconds, 0 or more. It is ${String(retryAfterSeconds)}`,
      )
    }
    super(ErrorCode.unauthorized, message, undefined, options)
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** The close code for a page, which can't see the status. */
  get closeCode(): number {
    if (this.status === 401) return CloseCode.unauthorized
    if (this.status === 403) return CloseCode.forbidden
    if (this.status === 429 || this.status === 503) return CloseCode.tryAgainLater
    return this.status < 500 ? CloseCode.violation : CloseCode.internal
  }
}

/** How long a client that is refused must wait, in seconds. */
const RETRY_AFTER_S = 5

/** @returns the refusal of a client: HTTP 429 if it has too many connections, 503 if the server has. */
export function tooMany(status: 429 | 503, message: string): RejectUpgrade {
  return new RejectUpgrade(status, message, { retryAfterSeconds: RETRY_AFTER_S })
}

/** The result of a request: the identity of the client, or the refusal. */
export type Admission = { readonly identity: unknown } | { readonly rejection: RejectUpgrade }

/**
 * Calls `authenticate`, and waits only for as long as its result is needed. Never rejects.
 *
 * @param giveUp ends the wait. If its reason is a {@link RejectUpgrade}, that is the result.
 * @param begun called with the run itself, which may go on after it was given up.
 */
export async function admit(
  authenticate: Authenticate<unknown>,
  request: IncomingMessage,
  timeoutMs: number,
  giveUp: AbortController,
  begun: (run: Promise<unknown>) => void,
): Promise<Admission> {
  const { signal } = giveUp
  const timer = setTimeout(
    () => {
      const message = 'Authentication took too long; try again later'
      giveUp.abort(new RejectUpgrade(503, message))
    },
    Math.min(timeoutMs, MAX_TIMER_MS),
  )
  const givenUp = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  try {
    const asked = (async () => authenticate(request, { signal }))()
    begun(asked)
    return { identity: await Promise.race([asked, givenUp]) }
  } catch (thrown) {
    if (thrown instanceof RejectUpgrade) return { rejection: thrown }
    // The client is not told why: `cause` is for the log and onReject.
    const cause = thrown instanceof Error ? thrown : new Error(describeThrown(thrown))
    return { rejection: new RejectUpgrade(500, 'Authentication failed', { cause }) }
  } finally {
    clearTimeout(timer)
  }
}
