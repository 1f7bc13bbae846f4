import type { Middleware, MiddlewareCall } from '../../calls/middleware-call.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'

/**
 * @returns the middlewares of an option, outermost first; `undefined` where there are none.
 * @throws {RpcConfigError} where one is no function.
 */
export function resolveMiddleware(
  use: Middleware | readonly Middleware[] | undefined,
): readonly Middleware[] | undefined {
  const all: readonly unknown[] = Array.isArray(use) ? [...use] : use === undefined ? [] : [use]
  const wrong = all.find((middleware) => typeof middleware !== 'function')
  if (wrong !== undefined || all.includes(undefined)) {
    throw new RpcConfigError(
      `use must be a middleware, (call, next) => …, or a list of them; one is of type ${wrong === null ? 'null' : typeof wrong}`,
    )
  }
  return all.length > 0 ? (all as readonly Middleware[]) : undefined
}

/**
 * Lets a call through its middlewares, in this turn as far as they let it.
 *
 * @param go what is behind the innermost.
 */
export function through(
  use: readonly Middleware[],
  call: MiddlewareCall,
  go: () => Promise<unknown>,
): Promise<unknown> {
  const enter = async (depth: number): Promise<unknown> => {
    const middleware = use[depth]
    if (!middleware) return go()
    let state: 'before' | 'called' | 'over' = 'before'
    const next = (): Promise<unknown> => {
      const rest = state === 'before' ? enter(depth + 1) : Promise.reject(nextError(call, state))
      if (state === 'before') state = 'called'
      // Middleware need not wait for it; a failure that nobody waits for ends no process.
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

/** @returns the incoming call whose handler was given this signal, where that went through middleware. */
export function callOf(signal: AbortSignal | undefined): MiddlewareCall | undefined {
  return signal && calls.get(signal)
}

/** From now on, calls that are made with this signal are made for that call. */
export function setCall(signal: AbortSignal, call: MiddlewareCall): void {
  calls.set(signal, call)
}
