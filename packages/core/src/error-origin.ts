import type { Ran } from './wire/message.js'

/** Where an error comes from, and what is known of its call that no handler can say. */
export interface Origin {
  /** Whether this library made it of what happened on this side: then it is told to nobody else. */
  readonly isOwn: boolean
  /** What a caller is told that is told the error. */
  readonly ran?: Ran | undefined
  /** When the time was over that ran out, by `performance.now()`, where that was told along with the call. */
  readonly deadline?: number | undefined
}

/** The member of an error that has its origin. It is the same in every copy of this library. */
const ORIGIN = Symbol.for('flashrpc.origin')

/** Sets the origin of an error, where it has none yet. @returns the same error. */
export function withOrigin<E extends object>(error: E, origin: Origin): E {
  if (!(ORIGIN in error)) Object.defineProperty(error, ORIGIN, { value: origin })
  return error
}

/** Marks an error that this library made of what happened on this side. @returns the same error. */
export function own<E extends object>(error: E): E {
  return withOrigin(error, OWN)
}

const OWN: Origin = { isOwn: true }

/** @returns undefined where an application made the error, or the other side's handler. */
export function originOf(error: object): Origin | undefined {
  return (error as { [ORIGIN]?: Origin })[ORIGIN]
}
