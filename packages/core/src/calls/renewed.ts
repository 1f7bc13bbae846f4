import { type Encoded, encode, frameOf, hasBytes } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { RequestExtras, RequestMessage } from '../wire/message.js'
import type { PendingCall } from './pending-call.js'

/** How old a message that tells a time may be, in ms, before it is made anew. */
const FRESH_MS = 50

/**
 * Makes what a call says beside its params, and has its message made anew when that has changed by the time it is
 * sent: the time that is left, and whether the other side is a plain peer, which is told less.
 *
 * @returns what the message says now; undefined for nothing.
 */
export function renewerOf(
  format: Format,
  call: PendingCall,
  told: NonNullable<PendingCall['told']>,
  isExtended: boolean,
): RequestExtras | undefined {
  const saidAt = performance.now()
  const isTimed = told.deadlineMs !== undefined
  call.renew = (encoded, isExtendedNow) => {
    const isOld = isTimed && isExtendedNow && performance.now() - saidAt > FRESH_MS
    if (isExtendedNow === isExtended && !isOld) return encoded
    return renewed(format, encoded, told, isExtendedNow)
  }
  // Not spread: V8 makes a new hidden class of each copy of nothing.
  return isExtended ? sayTold(told, Object.assign({}, call.extras)) : call.extras
}

function sayTold(
  told: NonNullable<PendingCall['told']>,
  rpc: RequestExtras | undefined = {},
): RequestExtras {
  for (const [name, say] of Object.entries(told)) {
    ;(rpc as Record<string, unknown>)[name] = (say as () => unknown)()
  }
  return rpc
}

/** What the message was made of may have changed since: it is made of its own frame. */
function renewed(
  format: Format,
  encoded: Encoded,
  told: NonNullable<PendingCall['told']>,
  isExtended: boolean,
): Encoded {
  try {
    const { rpc: before, ...message } = format.codec.decode(frameOf(encoded)) as RequestMessage
    const rpc: RequestExtras = { ...before }
    for (const name of Object.keys(told) as (keyof RequestExtras)[]) delete rpc[name]
    if (isExtended) sayTold(told, rpc)
    const isEmpty = Object.keys(rpc).length === 0
    const again = encode(format, isEmpty ? message : { ...message, rpc })
    return hasBytes(encoded) ? { ...encoded, frame: frameOf(again) } : again
  } catch {
    // A codec that can't read what it wrote itself: better a deadline that is late than no call.
    return encoded
  }
}
