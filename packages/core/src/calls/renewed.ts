import { type Encoded, encode, frameOf, reframed } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { RequestExtras, RequestMessage } from '../wire/message.js'
import type { PendingCall } from './pending-call.js'

/** How old a message with a deadline may be, in ms, before it is encoded again. */
const FRESH_MS = 50

/**
 * Makes the extras of a call. Its message is encoded again if they have changed by the time it is sent: the time that
 * is left, or whether the other side is a plain peer, which gets fewer extras.
 *
 * @returns the extras of the message now; undefined if it has none.
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
  // `Object.assign`, and not spread: V8 makes a new hidden class for each spread copy of nothing.
  return isExtended ? sayTold(told, Object.assign({}, call.extras)) : call.extras
}

function sayTold(told: NonNullable<PendingCall['told']>, rpc: RequestExtras): RequestExtras {
  for (const [name, say] of Object.entries(told)) {
    ;(rpc as Record<string, unknown>)[name] = (say as () => unknown)()
  }
  return rpc
}

/** The params may have changed since, so the new message is made from the frame of the old one. */
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
    return reframed(encoded, again)
  } catch {
    // The codec can't read its own frame: send the message with a late deadline rather than not at all.
    return encoded
  }
}
