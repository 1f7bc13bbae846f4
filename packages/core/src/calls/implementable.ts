import type { Path } from '../contract/path.js'
import type { Handlers, HandlersAt, HandlersByPath } from './functions.js'

/**
 * A server whose handlers can be given after it was made. A handler may then use the server without a circular type
 * (TypeScript's error 7022): the type of the server does not depend on its handlers.
 */
export interface Implementable<Local, Ch> {
  /**
   * Gives the handlers after the server was made, before it serves: an endpoint, before `listen` and `attach`; a host,
   * before the first connection.
   *
   * @param handlers all of them: in their groups, or by their paths.
   * @throws {RpcConfigError} if a name is not in the contract, or has a handler already, a handler is not a function, or
   *   the server serves already.
   */
  implement<const Literal = never>(
    handlers: Handlers<Local, Ch, Literal> | HandlersByPath<Local, Ch, Literal>,
  ): void
  /**
   * Gives the handlers of one group, or of one method.
   *
   * @param path the path of the group, such as `users.admin`, or of the method.
   * @param handlers all handlers of the group, or the handler of the method.
   * @throws {RpcConfigError} as above.
   */
  implement<P extends Path<Local>, const Literal = never>(
    path: P,
    handlers: HandlersAt<Local, P, Ch, Literal>,
  ): void
}
