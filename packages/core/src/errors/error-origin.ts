/**
 * Whether a call that failed ran, as a side says that is not its handler: `false` if it was not run and never will be;
 * `null` if that can't be known, such as when the program that it was passed on to is lost.
 */
export type Ran = false | null

/** Where an error comes from, and facts about its call that only this library can state. */
export interface Origin {
  /** Whether this library made the error, for a failure on this side. Then it is not sent to the other side. */
  readonly isOwn: boolean
  /** Whether the call ran, as the caller learns it with the error. */
  readonly ran?: Ran | undefined
  /** The deadline that has passed, by `performance.now()`, if the call came with one. */
  readonly deadline?: number | undefined
}

/** The member of an error that holds its origin. It is the same in every copy of this library. */
const ORIGIN = Symbol.for('flashrpc.origin')

/** Sets the origin of an error, unless it has one. @returns the same error. */
export function withOrigin<E extends object>(error: E, origin: Origin): E {
  if (!(ORIGIN in error)) Object.defineProperty(error, ORIGIN, { value: origin })
  return error
}

/** Marks an error that this library made for a failure on this side. @returns the same error. */
export function own<E extends object>(error: E): E {
  return withOrigin(error, OWN)
}

const OWN: Origin = { isOwn: true }

/** @returns undefined if an application, or the other side's handler, made the error. */
export function originOf(error: object): Origin | undefined {
  return (error as { [ORIGIN]?: Origin })[ORIGIN]
}
