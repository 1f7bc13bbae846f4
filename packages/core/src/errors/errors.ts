import { own } from './error-origin.js'

/**
 * Every error code that crosses the wire or is made on this side, in one table.
 *
 * −32768…−32600 are JSON-RPC 2.0's (section 5.1); −32000…−32099, which it reserves for
 * implementations, are ours; −32800 is the Language Server Protocol's `RequestCancelled`.
 */
export const ErrorCode = {
  /** A frame could not be read as a message. */
  parse: -32700,
  /** A message was no valid request. */
  invalidRequest: -32600,
  /** The other side has no such method, or has no handler for it now (`data.reason: 'not-mounted'`). */
  methodNotFound: -32601,
  /** The params break the method's schema; `data.issues` says where. */
  invalidParams: -32602,
  /** The handler failed with an error that was not meant for the caller. */
  internal: -32603,
  /** The connection was lost, or was never made. */
  disconnected: -32000,
  /** The call's time ran out. */
  timedOut: -32001,
  /** The caller may not call this method. */
  unauthorized: -32002,
  /** A limit was exceeded, such as the size of a message, or the number of queued calls. */
  overloaded: -32003,
  /** The server is leaving, and runs no further calls. */
  shuttingDown: -32004,
  /** The call's idempotency key was seen before, and the outcome of that call is not known. */
  uncertain: -32005,
  /** What arrived breaks the protocol. */
  protocol: -32006,
  /** A value breaks its schema, or can't be carried by the codec. */
  validation: -32007,
  /** An option or a definition is wrong. */
  config: -32008,
  /** The server can't listen at the address it was given. */
  listen: -32009,
  /** The two sides of a connection have different codecs. */
  codecMismatch: -32010,
  /** The call's idempotency key belongs to another call. */
  keyReused: -32011,
  /** The call was cancelled by its caller. */
  cancelled: -32800,
} as const

/**
 * How far a call that failed had come:
 *
 * - `not-sent`: it never left this side; the other side has not run it and will not.
 * - `not-received`: it left, and the other side is known not to have received it.
 * - `maybe-executed`: it left, and whether the other side ran it can't be known from here.
 */
export type Outcome = 'not-sent' | 'not-received' | 'maybe-executed'

/** One complaint of a schema: what is wrong, and where in the value. */
export interface Issue {
  /** What is wrong. */
  readonly message: string
  /** The way from the value's root to the complaint; empty or absent for the value as a whole. */
  readonly path?: readonly (string | number)[]
}

/** What an error of this library may carry besides its message. */
export interface RpcErrorOptions extends ErrorOptions {
  /** The method the error is about. */
  method?: string | undefined
}

/**
 * The member by which errors of this library are recognized, also those of another copy of it: an application may have
 * two. The classes write its name out, because a bundler keeps each class with a computed member, even one that is not used.
 */
const BRAND = '~flashrpc'

/**
 * Whether a value is an instance of the class with this brand, or of one that extends it, in any copy of this library.
 */
function hasBrand(value: unknown, brand: unknown): boolean {
  let at = typeof value === 'object' ? (value as { [BRAND]?: unknown } | null) : null
  while (at?.[BRAND] !== undefined) {
    if (at[BRAND] === brand) return true
    // An error inherits its brand from the first prototype that has one of its own.
    while (at && !Object.hasOwn(at, BRAND)) at = Object.getPrototypeOf(at)
    at = at && Object.getPrototypeOf(at)
  }
  return false
}

/**
 * An answer that is an error, and the base class of every error of this library.
 *
 * If a handler throws it, the caller gets an error with the same `code`, `message` and `data`; stacks and causes are
 * never sent. An error that this library itself throws in a handler (a call made there that timed out, a client that
 * is closed, a wrong option) is not sent: the caller is answered −32603, and `onError` gets the error.
 *
 * Branch on `code` or on the class, never on the text. The other classes are for failures that this library itself
 * has found. An error that a handler threw, or that a plain JSON-RPC peer answered, is an `RpcError`, even if its code
 * is a number of {@link ErrorCode}.
 *
 * @example throw new RpcError(4004, 'No such report', { id })
 */
export class RpcError extends Error {
  /** Whether a value is an error of this class, of this copy of the library or of another one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it is inherited, and this is the class that is asked
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true
    // A class of an application that extends one of these has no brand of its own.
    // biome-ignore lint/complexity/noThisInStatic: as above
    const { prototype } = this
    return Object.hasOwn(prototype, BRAND) && hasBrand(value, prototype[BRAND])
  }

  /** @internal */
  get '~flashrpc'(): string {
    return 'RpcError'
  }

  /** A number of {@link ErrorCode}, or the application's own. */
  readonly code: number
  /** Further facts for the caller, which the codec must be able to carry; undefined if there are none. */
  readonly data: unknown
  /** The method the error is about, if there is one. */
  readonly method: string | undefined

  constructor(code: number, message: string, data?: unknown, options?: RpcErrorOptions) {
    super(message, options)
    // Our own errors are named by their brand, as a bundler may have renamed the class.
    const { prototype } = new.target
    this.name = Object.hasOwn(prototype, BRAND) ? prototype[BRAND] : new.target.name
    this.code = code
    this.data = data
    this.method = options?.method
  }
}

/** A call's time ran out before its answer came. `outcome` says whether it may have run. */
export class RpcTimeoutError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcTimeoutError'
  }

  /** Whether the call may have run. */
  readonly outcome: Outcome

  constructor(message: string, outcome: Outcome, options?: RpcErrorOptions) {
    super(ErrorCode.timedOut, message, undefined, options)
    this.outcome = outcome
  }
}

/** A call was aborted through its `signal`. `cause` is the signal's reason. */
export class RpcAbortedError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcAbortedError'
  }

  /** Whether the call may have run. */
  readonly outcome: Outcome

  constructor(message: string, outcome: Outcome, options?: RpcErrorOptions) {
    super(ErrorCode.cancelled, message, undefined, options)
    this.outcome = outcome
  }
}

/** The connection was lost, or was not made, while a call was open. `outcome` says whether it may have run. */
export class RpcDisconnectedError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcDisconnectedError'
  }

  /** Whether the call may have run. */
  readonly outcome: Outcome
  /** The WebSocket close code (RFC 6455, section 7.4, or one of ours), if the connection ended with one. */
  readonly closeCode: number | undefined
  /** The HTTP status that a connection was refused with. Browsers don't report it. */
  readonly httpStatus: number | undefined
  /**
   * For a call with streams: how many items had arrived or, if it is answered with a result, how many items of its
   * input were sent. If bytes arrived in pieces, each piece counts as an item. An item of the input counts when all of
   * it was sent.
   */
  readonly items: number | undefined

  constructor(
    message: string,
    outcome: Outcome,
    options?: RpcErrorOptions & {
      closeCode?: number | undefined
      httpStatus?: number | undefined
      items?: number | undefined
    },
  ) {
    super(ErrorCode.disconnected, message, undefined, options)
    this.outcome = outcome
    this.closeCode = options?.closeCode
    this.httpStatus = options?.httpStatus
    this.items = options?.items
  }
}

/**
 * A connection could not be made because of its proxy: the proxy can't be reached, or it refused. `httpStatus` is the
 * status with which it refused. Node only.
 */
export class RpcProxyError extends RpcDisconnectedError {
  /** @internal */
  override get '~flashrpc'(): string {
    return 'RpcProxyError'
  }

  /** The proxy's address, without its credentials. */
  readonly proxy: string

  constructor(
    message: string,
    proxy: string,
    options?: RpcErrorOptions & { httpStatus?: number | undefined },
  ) {
    super(message, 'not-sent', options)
    this.proxy = proxy
  }
}

/**
 * A limit was exceeded. If it was a limit of this side, the call was not sent (`not-sent`). If the other side refused
 * the call, it has not run (`not-received`). If the answer, or an item of a stream, was over a limit, the call may have
 * run (`maybe-executed`).
 */
export class RpcOverloadedError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcOverloadedError'
  }

  /** Whether the call may have run. */
  readonly outcome: Outcome

  constructor(message: string, options?: RpcErrorOptions & { outcome?: Outcome }) {
    super(ErrorCode.overloaded, message, undefined, options)
    this.outcome = options?.outcome ?? 'not-sent'
  }
}

/**
 * The server has seen the call's idempotency key before, and does not know the outcome of that call: the process that
 * ran it died, or its answer was not kept. The call was not run again, and will not be with this key.
 */
export class RpcUncertainError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcUncertainError'
  }

  /** Whether the call may have run. */
  readonly outcome: Outcome = 'maybe-executed'

  constructor(message: string, options?: RpcErrorOptions) {
    super(ErrorCode.uncertain, message, undefined, options)
  }
}

/** The other side sent what the protocol does not allow. */
export class RpcProtocolError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcProtocolError'
  }

  constructor(message: string, options?: RpcErrorOptions) {
    super(ErrorCode.protocol, message, undefined, options)
    own(this)
  }
}

/**
 * A value breaks its schema, or the codec can't carry it.
 *
 * A result that breaks its schema has `outcome: 'maybe-executed'`: the other side did run the call.
 */
export class RpcValidationError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcValidationError'
  }

  /** The complaints of the schema. */
  readonly issues: readonly Issue[]
  /** Whether the call may have run. */
  readonly outcome: Outcome

  constructor(
    message: string,
    issues: readonly Issue[],
    outcome: Outcome,
    options?: RpcErrorOptions,
  ) {
    super(ErrorCode.validation, message, { issues }, options)
    this.issues = issues
    this.outcome = outcome
    own(this)
  }
}

/** An option, a contract or a registration is wrong: thrown where it is written, before anything runs. */
export class RpcConfigError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcConfigError'
  }

  constructor(message: string, options?: RpcErrorOptions) {
    super(ErrorCode.config, message, undefined, options)
    own(this)
  }
}

/** The text of anything that was thrown, for messages on this side. Never throws itself. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message || thrown.name)
    return typeof thrown === 'object' ? (JSON.stringify(thrown) ?? 'an object') : String(thrown)
  } catch {
    return 'a value that cannot be described'
  }
}
