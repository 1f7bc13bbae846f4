import { type Failure, FORBIDDEN, type Stop, UNAUTHORIZED } from './failure.js'

/** The statuses after which the same attempt would fail again: docs/protocol.md, "Reconnecting". */
const STOPS: ReadonlyMap<number | undefined, Stop> = new Map([
  [401, UNAUTHORIZED],
  [403, FORBIDDEN],
  [404, { verdict: 'failed', remedy: 'Check the path of the url' }],
  [407, { verdict: 'failed' }],
  [426, { verdict: 'failed', remedy: 'Check the path of the url: no WebSocket is served there' }],
])

const NO_SOCKET = 'No WebSocket is served there: check the host, the port and the path of the url'

/** @returns what the HTTP status of a server that has refused an upgrade says of the failure. */
export function httpFailure(httpStatus: number | undefined): Partial<Failure> {
  const stop = STOPS.get(httpStatus)
  // Neither an error nor an upgrade: the program at this address serves something else.
  const isOther = httpStatus !== undefined && httpStatus < 400
  return {
    httpStatus,
    verdict: stop?.verdict ?? 'retry',
    isRestart: httpStatus === 503,
    remedy: isOther ? NO_SOCKET : stop?.remedy,
  }
}
