import { withOrigin } from '../errors/error-origin.js'
import {
  describeThrown,
  ErrorCode,
  RpcError,
  RpcOverloadedError,
  RpcValidationError,
} from '../errors/errors.js'
import type { PeerFacts, Unsendable } from '../link/peer-facts.js'
import type { Format } from '../wire/format.js'
import { remedyOfUnsent } from './lost-kinds.js'

const AN_ITEM = 'An item'
const CUT = 'A Uint8Array that is an item of its own is cut'

/** Why a message about a call could not be sent. */
export class Unsent {
  readonly #why: Unsendable | { readonly format: Format; readonly cause: unknown }
  /** The limits of the other side. */
  readonly limits: PeerFacts

  constructor(why: Unsendable | { format: Format; cause: unknown }, limits: PeerFacts) {
    this.#why = why
    this.limits = limits
  }

  get isTooBig(): boolean {
    return this.#why === 'too-big'
  }

  /** The error for this side, with all details. */
  error(method: string, what = AN_ITEM): RpcValidationError {
    const detail = this.#detail(what)
    const message = `${what} of "${method}" can't be sent: ${detail}`
    const why = this.#why
    const options = typeof why === 'object' && 'cause' in why ? { cause: why.cause } : {}
    return new RpcValidationError(message, [{ message: detail }], 'maybe-executed', {
      method,
      ...options,
    })
  }

  #detail(what: string): string {
    const { message, depth } = this.limits
    const why = this.#why
    if (why === 'too-big') {
      const hint = what === AN_ITEM ? ` ${CUT}.` : ''
      return `it is larger than the ${message} bytes the other side accepts.${hint} Send less at once, or raise the other side's limit "message"`
    }
    if (why === 'too-deep') {
      return `it nests deeper than the ${depth} levels the other side accepts`
    }
    if ('detail' in why) return why.detail
    const { format, cause } = why
    return `as ${format.codec.name}: ${describeThrown(cause)}${remedyOfUnsent(format, cause)}`
  }
}

/** The error for the other side. It has sizes, but not the error that was thrown here. */
export function toldUnsent(method: string, unsent: Unsent): RpcError {
  if (unsent.isTooBig) {
    const { message: most } = unsent.limits
    const message = `An item of "${method}" is larger than the ${most} bytes its caller accepts. ${CUT}. Send less at once, or raise the caller's limit "message"`
    const error = new RpcOverloadedError(message, { method, outcome: 'maybe-executed' })
    return withOrigin(error, { isOwn: false, ran: null })
  }
  const message = `An item of "${method}" can't be sent`
  return new RpcError(ErrorCode.internal, message, undefined, { method })
}
