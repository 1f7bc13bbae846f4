import { type ContractSide, type Definition, isCallableName } from '../contract/contract.js'
import type { Entry } from './call-trace.js'
import type { CallOptions } from './functions.js'

/** Sends a call or a notification, or makes a stream, as the kind of the method's definition requires. */
export type Send = (
  kind: Definition['kind'],
  method: string,
  params: unknown,
  options: CallOptions | undefined,
  /** The member that was called. */
  entry: Entry,
) => unknown

/**
 * Makes `other`: an object with a function for each method.
 *
 * It can be awaited, printed, compared and kept in React state like any object: it is not callable, the members that
 * JavaScript reads of such values (`then`, `toJSON`, `$$typeof`, symbols) are undefined, and a member is the same
 * function each time it is read.
 *
 * @param side the methods of the other side; without it, every other name is a method.
 */
export function createRemote(side: ContractSide | undefined, send: Send): object {
  return side ? remoteOfContract(side, send) : remoteOfAnyName(send)
}

function remoteOfContract(side: ContractSide, send: Send): object {
  const remote: Record<string, unknown> = {}
  for (const [name, { kind }] of Object.entries(side)) remote[name] = callOf(name, kind, send)
  return Object.freeze(remote)
}

function remoteOfAnyName(send: Send): object {
  const members = new Map<string, unknown>()
  return new Proxy(Object.freeze({}), {
    get(target, name, receiver) {
      if (typeof name === 'symbol' || !isCallableName(name)) {
        return Reflect.get(target, name, receiver)
      }
      let member = members.get(name)
      if (!member) {
        member = callOf(name, 'method', send)
        members.set(name, member)
      }
      return member
    },
  })
}

/**
 * The function gets its name from an object literal: a name from `Object.defineProperty` takes twice as much memory.
 */
function callOf(name: string, kind: Definition['kind'], send: Send): Entry {
  const member = {
    [name]: (params?: unknown, options?: CallOptions) => send(kind, name, params, options, member),
  }[name] as Entry
  return member
}
