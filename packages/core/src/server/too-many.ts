import { RejectUpgrade } from './authentication.js'

/** How long a client that is refused must wait, in seconds. */
const RETRY_AFTER_S = 5

/** @returns the refusal of a client: HTTP 429 if it has too many connections, 503 if the server has. */
export function tooMany(status: 429 | 503, message: string): RejectUpgrade {
  return new RejectUpgrade(status, message, { retryAfterSeconds: RETRY_AFTER_S })
}
