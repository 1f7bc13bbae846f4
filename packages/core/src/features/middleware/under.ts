import type { Middleware } from '../../calls/middleware-call.js'
import type { Contract } from '../../contract/contract.js'
import { flatSideOf } from '../../contract/path.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import {
  CHECK_PATH,
  type PathMiddleware,
  resolveMiddleware,
  runMiddleware,
} from './run-middleware.js'

/**
 * Middleware for the methods of one group: `use: under('users.admin', requireAdmin)`. Calls of other methods pass it by.
 * As all middleware, it surrounds calls in both directions: see `call.direction`.
 *
 * @param path the path of a group, such as `users.admin`, or of one method. The program that uses it must have a contract
 *   with such a path, if it has a contract: otherwise `createEndpoint`, `createClient` and so on throw `RpcConfigError`.
 * @param use a middleware, or a list of them, outermost first.
 * @throws {RpcConfigError} if the path is empty, or a middleware is not a function.
 */
export function under<Identity = unknown>(
  path: string,
  use: Middleware<Identity> | readonly Middleware<Identity>[],
): Middleware<Identity> {
  if (typeof path !== 'string' || path === '') {
    throw new RpcConfigError(
      "under needs the path of a group first: under('users.admin', (call, next) => …)",
    )
  }
  const all = resolveMiddleware(use as Middleware | readonly Middleware[])
  if (!all) {
    throw new RpcConfigError(
      `under(${quoted(path)}) needs a middleware, (call, next) => …, after the path`,
    )
  }
  const middleware: PathMiddleware = (call, next) =>
    isUnder(path, call.method) ? runMiddleware(all, call, next) : next()
  middleware[CHECK_PATH] = (contract) => {
    assertPath(path, contract)
    for (const one of all) (one as PathMiddleware)[CHECK_PATH]?.(contract)
  }
  return middleware as Middleware<Identity>
}

function assertPath(path: string, { server, client }: Contract): void {
  const names = [server, client].flatMap((side) => Object.keys(flatSideOf(side)))
  if (names.some((name) => isUnder(path, name))) return
  throw new RpcConfigError(
    `under(${quoted(path)}) would surround nothing: the contract has no group and no method of that path. Correct the path`,
  )
}

function isUnder(path: string, method: string): boolean {
  return method.startsWith(path) && (method.length === path.length || method[path.length] === '.')
}
