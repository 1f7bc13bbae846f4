import { RpcDisconnectedError } from '../../errors/errors.js'
import { meantBy } from '../../transport/close-codes.js'

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
  /** How long the server asked clients to stay away, in ms (`Retry-After`). */
  readonly retryAfterMs?: number | undefined
  /** The proxy that caused the failure, by its address without credentials. */
  readonly proxy?: string | undefined
  /** What to do about it, if more is known about the cause than code and status. */
  readonly remedy?: string | undefined
  readonly cause?: unknown
}

/** Close codes with which a server ends all of its connections at once, or asks clients to come back later. */
const RESTARTS: ReadonlySet<number> = new Set([1001, 1012, 1013])

/** What to do after a failure: try again, or stop in one of two states. */
export type Verdict = 'retry' | 'failed' | 'unauthorized'

/** The consequence of a cause after which the same attempt would fail again. */
interface Stop {
  readonly verdict: Exclude<Verdict, 'retry'>
  /** What the user can do about it. */
  readonly remedy?: string
}

const UNKNOWN: Stop = {
  verdict: 'unauthorized',
  remedy: 'The server does not know who this is: check the credentials in the url or the headers',
}
const FORBIDDEN: Stop = {
  verdict: 'failed',
  remedy:
    'The server does not let this client in: check its rights and, for a page, the allowedOrigins of the server',
}
const NO_SOCKET = 'No WebSocket is served there: check the host, the port and the path of the url'

/**
 * The causes after which the same attempt would fail again: docs/protocol.md, "Reconnecting". After any other cause the
 * client tries again.
 */
const STOPS_BY_CLOSE_CODE: ReadonlyMap<number | undefined, Stop> = new Map([
  [4400, { verdict: 'failed' }],
  [4401, UNKNOWN],
  [4403, FORBIDDEN],
  [4409, { verdict: 'failed' }],
])
const STOPS_BY_HTTP_STATUS: ReadonlyMap<number | undefined, Stop> = new Map([
  [401, UNKNOWN],
  [403, FORBIDDEN],
  [404, { verdict: 'failed', remedy: 'Check the path of the url' }],
  [407, { verdict: 'failed' }],
  [426, { verdict: 'failed', remedy: 'Check the path of the url: no WebSocket is served there' }],
])

/** Whether a server ends all of its connections at once, or asks clients to come back later. */
export function asksToComeBackLater({ closeCode, httpStatus, proxy }: Failure): boolean {
  return RESTARTS.has(meantBy(closeCode)) || (httpStatus === 503 && proxy === undefined)
}

function stopOf({ closeCode, httpStatus, proxy }: Failure): Stop | undefined {
  if (proxy === undefined) {
    return STOPS_BY_CLOSE_CODE.get(closeCode) ?? STOPS_BY_HTTP_STATUS.get(httpStatus)
  }
  // This is the answer of the proxy itself: the server was not reached.
  return httpStatus === 403 || httpStatus === 407 ? { verdict: 'failed' } : undefined
}

/** @returns what to do after a failure, by its cause. */
export function judge(failure: Failure): Verdict {
  return stopOf(failure)?.verdict ?? 'retry'
}

/** @returns the text of a failure, with the address of the attempt. */
export function describeFailure({ where, message }: Failure): string {
  return where === undefined ? message : `${where}: ${message}`
}

/** @returns what the user can do about a failure; `undefined` if nothing is known. */
export function remedyOf(failure: Failure): string | undefined {
  // The maker of the connection knows more than the close code says.
  const isTold = failure.remedy !== undefined || failure.cause instanceof RpcDisconnectedError
  if (isTold || failure.proxy !== undefined) return failure.remedy
  // Neither an error nor an upgrade: the program at this address serves something else.
  const { httpStatus } = failure
  return httpStatus !== undefined && httpStatus < 400 ? NO_SOCKET : stopOf(failure)?.remedy
}
