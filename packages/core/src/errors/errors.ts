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
  /** The other side has no such method, or nobody handles it now (`data.reason: 'not-mounted'`). */
  methodNotFound: -32601,
  /** The params break the method's schema; `data.issues` says where. */
  invalidParams: -32602,
  /** The handler failed in a way it did not mean to tell. */
  internal: -32603,
  /** The connection was lost, or never came to be. */
  disconnected: -32000,
  /** The call's time ran out. */
  timedOut: -32001,
  /** The caller may not call this method. */
  unauthorized: -32002,
  /** A limit stands in the way: message size, queued calls. */
  overloaded: -32003,
  /** The server is leaving, and runs no further calls. */
  shuttingDown: -32004,
  /** The call's idempotency key was seen before, and what came of that can't be told. */
  uncertain: -32005,
  /** What arrived breaks the protocol. */
  protocol: -32006,
  /** A value breaks its schema, or can't be carried by the codec. */
  validation: -32007,
  /** An option or a definition is wrong. */
  config: -32008,
  /** The server can't listen where it was told to. */
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
 * Thrown in a handler, its `code`, `message` and `data` become the caller's error, as they are; no
 * stack and no cause ever crosses the wire. What this library itself throws in a handler is not told (a call
 * made there that timed out, a client that is closed, a wrong option): the caller is answered −32603, and
 * `onError` learns why.
 *
 * Branch on `code` or on the class, never on the text. The class says what this library knows: an error with a
 * number of {@link ErrorCode} that a handler threw, or that a plain JSON-RPC peer answered, is an `RpcError`.
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
  /** Whatever the thrower wants the caller to know; must be carried by the codec. */
  readonly data: unknown
  /** The method the error is about, where there is one. */
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

/** A call was given up through its `signal`. `cause` is the signal's reason. */
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

/** The connection went, or never came, while a call was open. `outcome` says whether it may have run. */
export class RpcDisconnectedError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcDisconnectedError'
  }

  /** Whether the call may have run. */
  readonly outcome: Outcome
  /** The WebSocket close code (RFC 6455, section 7.4, or one of ours), where the end had one. */
  readonly closeCode: number | undefined
  /** The HTTP status that a connection was refused with. Browsers don't tell it. */
  readonly httpStatus: number | undefined
  /**
   * Of a call with streams, where it was: how many items had come or, where it takes none, how many
   * of its input were sent. Bytes that came in pieces count as so many items; of its input, an item counts when all
   * of it was sent.
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
 * A connection never came because of the proxy on the way: it can't be reached, or it refused;
 * `httpStatus` is what it answered then. Node only.
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
 * A limit stood in the way. The call has not run: a limit of this side, before anything was sent (`not-sent`),
 * or of the other side, which refused it (`not-received`). Or its answer, or an item of a stream, was over a
 * limit (`maybe-executed`).
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
 * The server has seen the call's idempotency key before and can't tell what came of it: the process that
 * ran it died, or its answer was not kept. It was not run again, and will not be with this key.
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

  /** What the schema complains of. */
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
