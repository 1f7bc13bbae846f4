import { RpcConfigError, RpcDisconnectedError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'

/** The longest time in ms that an engine waits, when it stops, until what was published has left. */
export const STOP_MS = 1_000

const SUBJECT = /^[a-z0-9.-]{1,128}$/

/**
 * Checks a subject, so that nothing that an engine takes for a wildcard, or for the end of a line, reaches it.
 *
 * @throws {RpcConfigError} if it has other characters than `a-z`, `0-9`, `-` and `.`, or more than 128.
 */
export function assertSubject(subject: string): void {
  if (SUBJECT.test(subject)) return
  throw new RpcConfigError(
    `A subject must have 1 to 128 characters of a-z, 0-9, "-" and ".". This is not a subject: ${quoted(subject)}`,
  )
}

/** @throws {RpcConfigError} if a payload is larger than the engine carries. */
export function assertPayload(name: string, payload: Uint8Array, most: number): void {
  if (payload.byteLength <= most) return
  throw new RpcConfigError(
    `The engine "${name}" carries ${most} bytes a message, and this one has ${payload.byteLength}: cut it`,
  )
}

/** The error of what an engine is asked to do while it is down. */
export function engineDown(name: string, why: string): RpcDisconnectedError {
  return new RpcDisconnectedError(`The engine "${name}" is down: ${why}`, 'not-sent')
}
