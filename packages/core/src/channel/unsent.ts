import { withOrigin } from '../error-origin.js'
import {
  describeThrown,
  ErrorCode,
  RpcError,
  RpcOverloadedError,
  RpcValidationError,
} from '../errors.js'
import type { Format } from '../wire/format.js'
import { NO_BYTES, type Unsendable } from './connection-events.js'
import { remedyOfUnsent } from './lost-kinds.js'
import type { PeerLimits } from './peer-limits.js'

/** Why something more could not be said of a call. */
export class Unsent {
  readonly #why: Unsendable | { readonly format: Format; readonly cause: unknown }
  /** The limits of the other side. */
  readonly #limits: PeerLimits

  constructor(why: Unsendable | { format: Format; cause: unknown }, limits: PeerLimits) {
    this.#why = why
    this.#limits = limits
  }

  get isTooBig(): boolean {
    return this.#why === 'too-big'
  }

  /** The error of this side, with all that is known. */
  error(method: string, what = 'An item'): RpcValidationError {
    const message = `${what} of "${method}" can't be sent: ${this.#detail}`
    const options = typeof this.#why === 'object' ? { cause: this.#why.cause } : {}
    return new RpcValidationError(message, [{ message: this.#detail }], 'maybe-executed', {
      method,
      ...options,
    })
  }

  get #detail(): string {
    const { message, depth } = this.#limits
    if (this.isTooBig) return `it is larger than the ${message} bytes the other side accepts`
    if (this.#why === 'too-deep') {
      return `it nests deeper than the ${depth} levels the other side accepts`
    }
    if (typeof this.#why !== 'object') return `it has bytes, which ${NO_BYTES}`
    const { format, cause } = this.#why
    return `as ${format.codec.name}: ${describeThrown(cause)}${remedyOfUnsent(format, cause)}`
  }
}

/** What the other side is told, which may know of sizes and not of what was thrown here. */
export function toldUnsent(method: string, unsent: Unsent): RpcError {
  if (unsent.isTooBig) {
    const message = `An item of "${method}" is larger than its caller accepts`
    const error = new RpcOverloadedError(message, { method, outcome: 'maybe-executed' })
    return withOrigin(error, { isOwn: false, ran: null })
  }
  const message = `An item of "${method}" can't be sent`
  return new RpcError(ErrorCode.internal, message, undefined, { method })
}
