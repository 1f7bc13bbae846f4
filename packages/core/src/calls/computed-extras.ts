import { type Encoded, encode, frameOf, reframed } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { RequestExtras, RequestMessage } from '../wire/message.js'
import type { ComputedExtras, PendingCall } from './pending-call.js'

/** How old a message with a deadline may be, in ms, before it is encoded again. */
const FRESH_MS = 50

/** Adds an extra to a call for an extended peer. @param compute computes it when the message is sent. */
export function addComputedExtra<K extends keyof RequestExtras>(
  call: PendingCall,
  name: K,
  compute: () => RequestExtras[K],
): void {
  call.computedExtras ??= new CallExtras()
  call.computedExtras.add(name, compute)
}

/**
 * The extras of a call for an extended peer. Its message is encoded again if they have changed by the time it is sent:
 * the time that is left, or whether the other side is a plain peer, which gets fewer extras.
 */
class CallExtras implements ComputedExtras {
  readonly #extras: { readonly name: keyof RequestExtras; readonly compute: () => unknown }[] = []

  add(name: keyof RequestExtras, compute: () => unknown): void {
    this.#extras.push({ name, compute })
  }

  extrasOf(call: PendingCall, format: Format, isExtended: boolean): RequestExtras | undefined {
    const computedAt = performance.now()
    const isTimed = this.#extras.some(({ name }) => name === 'deadlineMs')
    call.renew = (encoded, isExtendedNow) => {
      const isOld = isTimed && isExtendedNow && performance.now() - computedAt > FRESH_MS
      if (isExtendedNow === isExtended && !isOld) return encoded
      return this.#renewed(format, encoded, isExtendedNow)
    }
    // `Object.assign`, and not spread: V8 makes a new hidden class for each spread copy of nothing.
    return isExtended ? this.#withComputed(Object.assign({}, call.extras)) : call.extras
  }

  #withComputed(rpc: RequestExtras): RequestExtras {
    for (const { name, compute } of this.#extras) (rpc as Record<string, unknown>)[name] = compute()
    return rpc
  }

  /** The params may have changed since, so the new message is made from the frame of the old one. */
  #renewed(format: Format, encoded: Encoded, isExtended: boolean): Encoded {
    try {
      const { rpc: before, ...message } = format.codec.decode(frameOf(encoded)) as RequestMessage
      const rpc: RequestExtras = { ...before }
      for (const { name } of this.#extras) delete rpc[name]
      if (isExtended) this.#withComputed(rpc)
      const isEmpty = Object.keys(rpc).length === 0
      const again = encode(format, isEmpty ? message : { ...message, rpc })
      return reframed(encoded, again)
    } catch {
      // The codec can't read its own frame: send the message with a late deadline rather than not at all.
      return encoded
    }
  }
}
