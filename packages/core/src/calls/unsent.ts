import { withOrigin } from '../errors/error-origin.js'
import {
  describeThrown,
  ErrorCode,
  RpcError,
  RpcOverloadedError,
  RpcValidationError,
} from '../errors/errors.js'
import type { PeerFacts } from '../link/peer-facts.js'
import type { Unsendable } from '../wire/encoded.js'
import type { ResolvedChannelOptions } from './options.js'

const AN_ITEM = 'An item'
const CUT = 'A Uint8Array that is an item of its own is cut'

/** Why a message about a call could not be sent. */
export interface Unsent {
  /** What the other side can't accept, or the error of the codec. */
  readonly why: Unsendable | { readonly cause: unknown }
  /** The limits of the other side. */
  readonly limits: PeerFacts
}

/** The error for this side, with all details. */
export function unsentError(
  method: string,
  unsent: Unsent,
  settings: Pick<ResolvedChannelOptions, 'format' | 'diagnostics'>,
  what = AN_ITEM,
): RpcValidationError {
  const { why } = unsent
  const detail = detailOf(unsent, settings, what)
  return new RpcValidationError(
    `${what} of "${method}" can't be sent: ${detail}`,
    [{ message: detail }],
    'maybe-executed',
    { method, ...(typeof why === 'object' && 'cause' in why && { cause: why.cause }) },
  )
}

function detailOf(
  { why, limits: { message, depth } }: Unsent,
  { format, diagnostics }: Pick<ResolvedChannelOptions, 'format' | 'diagnostics'>,
  what: string,
): string {
  if (why === 'too-big') {
    const hint = what === AN_ITEM ? ` ${CUT}.` : ''
    return `it is larger than the ${message} bytes the other side accepts.${hint} Send less at once, or raise the other side's limit "message"`
  }
  if (why === 'too-deep') return `it nests deeper than the ${depth} levels the other side accepts`
  if ('detail' in why) return why.detail
  const remedy = diagnostics?.remedyOfUnsent(format, why.cause) ?? ''
  return `as ${format.codec.name}: ${describeThrown(why.cause)}${remedy}`
}

/** The error for the other side. It has sizes, but not the error that was thrown here. */
export function unsentErrorForCaller(method: string, unsent: Unsent): RpcError {
  if (unsent.why === 'too-big') {
    const { message: most } = unsent.limits
    const message = `An item of "${method}" is larger than the ${most} bytes its caller accepts. ${CUT}. Send less at once, or raise the caller's limit "message"`
    const error = new RpcOverloadedError(message, { method, outcome: 'maybe-executed' })
    return withOrigin(error, { isOwn: false, ran: null })
  }
  const message = `An item of "${method}" can't be sent`
  return new RpcError(ErrorCode.internal, message, undefined, { method })
}
