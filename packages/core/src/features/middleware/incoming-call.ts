import type { CallContext } from '../../calls/call-context.js'
import type { Meta, Middleware, MiddlewareCall } from '../../calls/middleware-call.js'
import type { AnyPeer } from '../../calls/peer.js'
import type { MessageId } from '../../wire/message.js'
import { runMiddleware } from './run-middleware.js'

/** A call of the other side, as middleware sees it. */
export class IncomingCall implements MiddlewareCall {
  readonly direction = 'in'
  readonly params: unknown
  readonly id: MessageId | undefined
  readonly dialect: string | undefined
  readonly parent = undefined
  readonly #context: CallContext

  constructor(
    context: CallContext,
    id: MessageId | undefined,
    params: unknown,
    dialect: string | undefined,
  ) {
    this.#context = context
    this.id = id
    this.params = params
    this.dialect = dialect
  }

  get kind(): MiddlewareCall['kind'] {
    return this.#context.kind
  }

  get method(): string {
    return this.#context.method
  }

  get channel(): AnyPeer {
    // The owner of a core is a channel or a client.
    return this.#context.channel as AnyPeer
  }

  get identity(): unknown {
    return this.#context.identity
  }

  get signal(): AbortSignal {
    return this.#context.signal
  }

  get meta(): Meta {
    return this.#context.meta
  }
}

/**
 * Serves a call through middleware. If the call fails, the middleware gets the error that the caller will get.
 *
 * @param told makes that error out of the value that `serve` threw.
 * @throws the value that `serve` threw, if the middleware let its error through unchanged; otherwise the error that the
 *   middleware threw.
 */
export async function runIncoming(
  use: readonly Middleware[],
  call: MiddlewareCall,
  serve: () => Promise<unknown>,
  told: (thrown: unknown) => Error,
): Promise<unknown> {
  const thrownAs = new Map<unknown, unknown>()
  try {
    return await runMiddleware(use, call, async () => {
      try {
        return await serve()
      } catch (thrown) {
        const error = told(thrown)
        thrownAs.set(error, thrown)
        throw error
      }
    })
  } catch (error) {
    throw thrownAs.has(error) ? thrownAs.get(error) : error
  }
}
