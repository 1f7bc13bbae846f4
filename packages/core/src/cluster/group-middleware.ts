import { formatMs } from '../base/duration.js'
import { onAbort } from '../calls/abort-listeners.js'
import { CallTimer, type TimeLimits } from '../calls/call-timer.js'
import type { Meta, Middleware } from '../calls/middleware-call.js'
import type { AnyPeer } from '../calls/peer.js'
import type { CallKind } from '../calls/pending-call.js'
import {
  RpcConfigError,
  RpcDisconnectedError,
  type RpcError,
  RpcTimeoutError,
} from '../errors/errors.js'
import { whyNoMeta } from '../features/middleware/meta.js'
import { OutgoingCall, runOutgoing } from '../features/middleware/outgoing-call.js'

/** A call, or a notification, to the clients of all other nodes. */
export interface CallToMany {
  readonly kind: CallKind
  readonly method: string
  readonly params: unknown
  readonly signal: AbortSignal | undefined
  /** How long middleware may hold it. */
  readonly time: TimeLimits
}

/** What has become of a call that went through middleware. */
export type Passage =
  /** It was sent. `error` is what the middleware threw after it had been. */
  | { readonly isSent: true; readonly error?: RpcError }
  /** It was not: the middleware has answered or has failed, or the call has ended while the middleware held it. */
  | { readonly isSent: false; readonly value: unknown }
  | { readonly isSent: false; readonly error: RpcError }

/** Ends a call that middleware holds. */
type GiveUp = (reason: unknown) => void

/** The middleware that surrounds calls to many, and the calls that it holds: those that it has not sent or answered. */
export class GroupMiddleware {
  readonly #use: readonly Middleware[]
  readonly #held = new Map<GiveUp, CallToMany>()
  #isClosed = false

  constructor(use: readonly Middleware[]) {
    this.#use = use
  }

  /** The endpoint is closed: the calls that are held, and all later ones, end as calls that were not sent. */
  close(): void {
    this.#isClosed = true
    for (const [giveUp, { method }] of [...this.#held]) giveUp(closedError(method))
  }

  /**
   * Sends a call to many through the middleware, once: all other nodes get the same message, with the same metadata. If
   * the call has ended before the middleware lets it go on, it is not sent.
   *
   * @param peer stands for the clients in `call.channel`.
   * @param send sends it with the metadata. It resolves to what `next()` resolves to, and never rejects.
   */
  async send(
    toMany: CallToMany,
    peer: AnyPeer,
    send: (meta: Meta) => Promise<unknown>,
  ): Promise<Passage> {
    const { kind, method, params, signal, time } = toMany
    let isSent = false
    let isOver = false
    let giveUp: GiveUp = () => {}
    const ended = new Promise<never>((_, reject) => {
      giveUp = (reason) => {
        isOver = true
        reject(reason)
      }
    })
    // Nobody may wait for it.
    ended.catch(() => {})
    const release = this.#hold(toMany, giveUp)
    const endsAt = performance.now() + time.total
    const call = { kind, method, id: undefined, promise: ended }
    const outgoing = new OutgoingCall(
      { dialect: undefined, publicChannel: peer },
      call,
      params,
      signal,
    )
    try {
      const value = await runOutgoing(this.#use, outgoing, ended, {
        async send() {
          // A timer fires late if the thread was busy.
          if (!isOver && performance.now() > endsAt) giveUp(timeoutError(toMany, 'total'))
          if (isOver) return ended
          const why = whyNoMeta(outgoing.meta)
          if (why) throw new RpcConfigError(`call.meta of "${method}" ${why}`, { method })
          isSent = true
          release()
          return send({ ...outgoing.meta })
        },
        drop: () => giveUp(new RpcDisconnectedError(answeredText(method), 'not-sent', { method })),
      })
      return isSent ? { isSent: true } : { isSent: false, value }
    } catch (thrown) {
      const error = thrown as RpcError
      return isSent ? { isSent: true, error } : { isSent: false, error }
    } finally {
      isOver = true
      release()
    }
  }

  /** Ends a call when its signal aborts, its time is over or the endpoint is closed. @returns a function that stops that. */
  #hold(toMany: CallToMany, giveUp: GiveUp): () => void {
    const { method, signal, time } = toMany
    if (this.#isClosed) giveUp(closedError(method))
    this.#held.set(giveUp, toMany)
    const timer = new CallTimer(time, NOT_HELD_UP, (which) => giveUp(timeoutError(toMany, which)))
    if (signal?.aborted) giveUp(signal.reason)
    const stop = signal && onAbort(signal, () => giveUp(signal.reason))
    return () => {
      this.#held.delete(giveUp)
      timer.stop()
      stop?.()
    }
  }
}

const NOT_HELD_UP = { isHeldUp: false } as const

function timeoutError({ method, time }: CallToMany, which: keyof TimeLimits): RpcTimeoutError {
  const what = which === 'total' ? 'timed out after' : 'showed no sign of life for'
  const why = 'it was not sent, because middleware of the cluster held it'
  const message = `"${method}" ${what} ${formatMs(time[which])}: ${why}`
  return new RpcTimeoutError(message, 'not-sent', { method })
}

function closedError(method: string): RpcDisconnectedError {
  const message = `"${method}" was not sent: this endpoint was closed while middleware of the cluster held it`
  return new RpcDisconnectedError(message, 'not-sent', { method })
}

function answeredText(method: string): string {
  return `"${method}" was not sent: another middleware has answered it, or has failed`
}
