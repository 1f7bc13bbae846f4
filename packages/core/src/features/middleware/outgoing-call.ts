import type { ChannelContext } from '../../calls/channel-context.js'
import type { Middleware, MiddlewareCall } from '../../calls/middleware-call.js'
import type { AnyPeer } from '../../calls/peer.js'
import type { PendingCall } from '../../calls/pending-call.js'
import { own } from '../../errors/error-origin.js'
import { describeThrown, ErrorCode, RpcError } from '../../errors/errors.js'
import { createMeta } from './meta.js'
import { callOf, runMiddleware } from './run-middleware.js'

/** A call of this side, as its middleware sees it. */
export class OutgoingCall implements MiddlewareCall {
  readonly direction = 'out'
  readonly kind: MiddlewareCall['kind']
  readonly method: string
  readonly params: unknown
  readonly id: number | undefined
  readonly dialect: string | undefined
  readonly channel: AnyPeer
  readonly identity: unknown
  readonly meta: MiddlewareCall['meta']
  readonly parent: MiddlewareCall | undefined
  readonly #ended: Promise<unknown>
  #controller: AbortController | undefined

  /** @param signal the signal that the caller gave. */
  constructor(
    { dialect, publicChannel }: Pick<ChannelContext, 'dialect' | 'publicChannel'>,
    call: Pick<PendingCall, 'kind' | 'method' | 'passedMeta' | 'promise'> & {
      readonly id: number | undefined
    },
    params: unknown,
    signal: AbortSignal | undefined,
  ) {
    this.kind = call.kind
    this.method = call.method
    this.params = params
    this.id = call.kind === 'notification' ? undefined : call.id
    this.dialect = dialect
    // The owner of a core is a channel or a client.
    this.channel = publicChannel as AnyPeer
    this.identity = publicChannel.identity
    // A call that is passed on has its metadata already.
    this.meta = createMeta(call.passedMeta)
    this.parent = callOf(signal)
    this.#ended = call.promise
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController()
      this.#ended.catch((reason: unknown) => controller.abort(reason))
      this.#controller = controller
    }
    return this.#controller.signal
  }
}

/** The steps of an outgoing call after its middleware. */
export interface OutgoingSteps {
  /** Sends the call, if it has not ended, and waits until it ends. */
  readonly send: () => Promise<unknown>
  /** Ends a call that was not sent. */
  readonly drop: () => void
}

/**
 * Sends a call through middleware. While the middleware holds the call, it can end as a call that was not sent.
 *
 * @throws {RpcError} if the call or a middleware fails; any other error of a middleware becomes an `RpcError` (−32603).
 */
export async function runOutgoing(
  use: readonly Middleware[],
  outgoing: OutgoingCall,
  ended: Promise<unknown>,
  { send, drop }: OutgoingSteps,
): Promise<unknown> {
  let isSent = false
  const passed = runMiddleware(use, outgoing, () => {
    isSent = true
    return send()
  })
  const givenUp = new Promise<never>((_, reject) => {
    ended.catch((error: unknown) => {
      if (!isSent) reject(error)
    })
  })
  try {
    return await Promise.race([passed, givenUp])
  } catch (thrown) {
    throw isRpcError(thrown) ? thrown : failed(outgoing, thrown)
  } finally {
    if (!isSent) drop()
  }
}

/** Checks safely: some values throw when their members are read. */
function isRpcError(thrown: unknown): boolean {
  try {
    return thrown instanceof RpcError
  } catch {
    return false
  }
}

function failed({ method }: OutgoingCall, cause: unknown): RpcError {
  const message = `A middleware of "${method}" failed: ${describeThrown(cause)}`
  return own(new RpcError(ErrorCode.internal, message, undefined, { method, cause }))
}
