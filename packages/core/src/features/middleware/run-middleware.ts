import type { Middleware, MiddlewareCall } from '../../calls/middleware-call.js'
import type { Contract } from '../../contract/contract.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'

/** The key of the function that checks whether a contract has the path that a middleware was made for. */
export const CHECK_PATH = Symbol('check path')

/** A middleware that may have been made for one path. */
export interface PathMiddleware extends Middleware {
  /** @throws {RpcConfigError} if the contract does not have the path: the middleware would never be called. */
  [CHECK_PATH]?: (contract: Contract) => void
}

/**
 * @returns the middlewares of an option, outermost first; `undefined` if there are none.
 * @throws {RpcConfigError} if one is not a function.
 */
export function resolveMiddleware(
  use: Middleware | readonly Middleware[] | undefined,
): readonly Middleware[] | undefined {
  const all: readonly unknown[] = Array.isArray(use) ? [...use] : use === undefined ? [] : [use]
  const wrong = all.find((middleware) => typeof middleware !== 'function')
  if (wrong !== undefined || all.includes(undefined)) {
    throw new RpcConfigError(
      `use must be a middleware, (call, next) => …, or a list of them. One of them is of type ${wrong === null ? 'null' : typeof wrong}`,
    )
  }
  return all.length > 0 ? (all as readonly Middleware[]) : undefined
}

/**
 * Runs a call through its middlewares, in the same turn as far as they allow.
 *
 * @param send makes the call: the `next()` of the innermost middleware.
 */
export function runMiddleware(
  use: readonly Middleware[],
  call: MiddlewareCall,
  send: () => Promise<unknown>,
): Promise<unknown> {
  const enter = async (depth: number): Promise<unknown> => {
    const middleware = use[depth]
    if (!middleware) return send()
    let state: 'before' | 'called' | 'over' = 'before'
    const next = (): Promise<unknown> => {
      const rest = state === 'before' ? enter(depth + 1) : Promise.reject(nextError(call, state))
      if (state === 'before') state = 'called'
      // Middleware may not await it, so its failure must not become an unhandled rejection.
      rest.catch(() => {})
      return rest
    }
    try {
      return await middleware(call, next)
    } finally {
      state = 'over'
    }
  }
  return enter(0)
}

function nextError({ method }: MiddlewareCall, state: 'called' | 'over'): RpcConfigError {
  const what = state === 'called' ? 'called next() twice' : 'called next() after it had returned'
  const remedy = state === 'called' ? 'call it once' : 'await it, or return it'
  return new RpcConfigError(`A middleware ${what} for ${quoted(method)}: ${remedy}`, { method })
}

/** The incoming calls, by the signals of their handlers. */
const calls = new WeakMap<AbortSignal, MiddlewareCall>()

/** @returns the incoming call with the handler that was given this signal, if that call went through middleware. */
export function callOf(signal: AbortSignal | undefined): MiddlewareCall | undefined {
  return signal && calls.get(signal)
}

/** Sets the incoming call of a signal: from now on, calls that are made with the signal are made for that call. */
export function setCall(signal: AbortSignal, call: MiddlewareCall): void {
  calls.set(signal, call)
}
