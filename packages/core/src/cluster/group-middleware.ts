import { onAbort } from '../calls/abort-listeners.js'
import type { Meta, Middleware } from '../calls/middleware-call.js'
import type { AnyPeer } from '../calls/peer.js'
import type { CallKind } from '../calls/pending-call.js'
import { RpcConfigError, type RpcError } from '../errors/errors.js'
import { whyNoMeta } from '../features/middleware/meta.js'
import { OutgoingCall, runOutgoing } from '../features/middleware/outgoing-call.js'

/** A call, or a notification, to the clients of all other nodes. */
export interface CallToMany {
  readonly kind: CallKind
  readonly method: string
  readonly params: unknown
  readonly signal: AbortSignal | undefined
}

/** What has become of a call that went through middleware. */
export type Passage =
  /** It was sent. `error` is what the middleware threw after it had been. */
  | { readonly isSent: true; readonly error?: RpcError }
  /** It was not: the middleware has answered, has failed, or the caller has given the call up. */
  | { readonly isSent: false; readonly value: unknown }
  | { readonly isSent: false; readonly error: RpcError }

/**
 * Sends a call to many through the middleware of the cluster, once: all other nodes get the same message, with the same
 * metadata.
 *
 * @param peer stands for the clients in `call.channel`.
 * @param send sends it with the metadata. It resolves to what `next()` resolves to, and never rejects.
 */
export async function throughOnce(
  use: readonly Middleware[],
  { kind, method, params, signal }: CallToMany,
  peer: AnyPeer,
  send: (meta: Meta) => Promise<unknown>,
): Promise<Passage> {
  let isSent = false
  let stop = () => {}
  const ended = new Promise<never>((_, reject) => {
    if (signal) stop = onAbort(signal, () => reject(signal.reason))
  })
  // Nobody may wait for it.
  ended.catch(() => {})
  const call = { kind, method, id: undefined, promise: ended }
  const outgoing = new OutgoingCall(
    { dialect: undefined, publicChannel: peer },
    call,
    params,
    signal,
  )
  try {
    const value = await runOutgoing(use, outgoing, ended, {
      async send() {
        const why = whyNoMeta(outgoing.meta)
        if (why) throw new RpcConfigError(`call.meta of "${method}" ${why}`, { method })
        isSent = true
        return send({ ...outgoing.meta })
      },
      drop: () => {},
    })
    return isSent ? { isSent: true } : { isSent: false, value }
  } catch (thrown) {
    const error = thrown as RpcError
    return isSent ? { isSent: true, error } : { isSent: false, error }
  } finally {
    stop()
  }
}
