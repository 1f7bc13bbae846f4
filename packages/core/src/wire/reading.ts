import type { RpcConfigError } from '../errors/errors.js'

/** The result of reading a frame. */
export type Reading =
  /** One or more whole messages, or the last part of these. */
  | Whole
  /** A part of a message; the rest is on its way. */
  | { kind: 'part' }
  | { kind: 'too-big' }
  /** Text that nests too deep and that can't be read otherwise. */
  | { kind: 'too-deep' }
  | { kind: 'unreadable'; cause: unknown }
  /** The platform lacks a global that is needed to read such frames. */
  | { kind: 'unable'; cause: RpcConfigError }
  /** JSON, although another codec is used. */
  | { kind: 'other-codec' }
  | { kind: 'violation'; what: string }

/** A message, or an array of them. */
export interface Whole {
  kind: 'message'
  decoded: unknown
  /** The messages of it that nest too deep, if any. In these, the values that are too deep may be missing. */
  tooDeep: ReadonlySet<unknown> | undefined
}

/** The other side has broken the protocol. @param what says how. */
export function violation(what: string): Reading {
  return { kind: 'violation', what }
}
