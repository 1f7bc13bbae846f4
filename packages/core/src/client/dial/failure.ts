import { RpcDisconnectedError } from '../../errors/errors.js'
import { intendedCode } from '../../transport/close-codes.js'

/** Why an attempt failed or a connection ended, as far as this side can see. */
export interface Failure {
  readonly message: string
  /** The address of the attempt, without secrets, if there is one. */
  readonly where?: string | undefined
  /** Whether the message itself names the host and the port. */
  readonly isAddressed?: boolean | undefined
  /** The WebSocket close code; 1006 if there was none. */
  readonly closeCode: number
  /** The HTTP status of a refused upgrade. Browsers don't tell it. */
  readonly httpStatus?: number | undefined
  /** What to do, if the maker of the connection knows more than the close code says. */
  readonly verdict?: Verdict | undefined
  /** Whether the server asks clients to come back later, if that is known without the close code. */
  readonly isRestart?: boolean | undefined
  /** How long the server asked clients to stay away, in ms (`Retry-After`). */
  readonly retryAfterMs?: number | undefined
  /** Makes the error, if it has a class of its own. */
  readonly createError?: ((message: string, cause: unknown) => RpcDisconnectedError) | undefined
  /** What to do about it, if more is known about the cause than code and status. */
  readonly remedy?: string | undefined
  readonly cause?: unknown
}

/** Close codes with which a server ends all of its connections at once, or asks clients to come back later. */
const RESTARTS: ReadonlySet<number> = new Set([1001, 1012, 1013])

/** What to do after a failure: try again, or stop in one of two states. */
export type Verdict = 'retry' | 'failed' | 'unauthorized'

/** The consequence of a cause after which the same attempt would fail again. */
export interface Stop {
  readonly verdict: Exclude<Verdict, 'retry'>
  /** What the user can do about it. */
  readonly remedy?: string
}

export const UNAUTHORIZED: Stop = {
  verdict: 'unauthorized',
  remedy: 'The server does not know who this is: check the credentials in the url or the headers',
}
export const FORBIDDEN: Stop = {
  verdict: 'failed',
  remedy:
    'The server does not let this client in: check its rights and, for a page, the allowedOrigins of the server',
}

/**
 * The causes after which the same attempt would fail again: docs/protocol.md, "Reconnecting". After any other cause the
 * client tries again.
 */
const STOPS: ReadonlyMap<number, Stop> = new Map([
  [4400, { verdict: 'failed' }],
  [4401, UNAUTHORIZED],
  [4403, FORBIDDEN],
  [4409, { verdict: 'failed' }],
])

/** Whether a server ends all of its connections at once, or asks clients to come back later. */
export function asksToComeBackLater({ closeCode, isRestart }: Failure): boolean {
  return RESTARTS.has(intendedCode(closeCode)) || isRestart === true
}

/** @returns what to do after a failure, by its cause. */
export function judge({ closeCode, verdict }: Failure): Verdict {
  return verdict ?? STOPS.get(closeCode)?.verdict ?? 'retry'
}

/** @returns the text of a failure, with the address of the attempt. */
export function failureText({ where, message }: Failure): string {
  return where === undefined ? message : `${where}: ${message}`
}

/** @returns a text, followed by the remedy if there is one. */
export function withRemedy(text: string, remedy: string | undefined): string {
  return remedy === undefined ? text : `${text}. ${remedy}`
}

/** @returns what the user can do about a failure; `undefined` if nothing is known. */
export function remedyOf({ remedy, cause, verdict, closeCode }: Failure): string | undefined {
  // The maker of the connection knows more than the close code says.
  const isTold = remedy !== undefined || verdict || (cause && cause instanceof RpcDisconnectedError)
  return isTold ? remedy : STOPS.get(closeCode)?.remedy
}
