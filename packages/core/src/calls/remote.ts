import {
  type ContractSide,
  type Definition,
  isCallableName,
  isDefinition,
} from '../contract/contract.js'
import type { Entry } from './diagnostics.js'
import type { CallOptions, RpcStream, SendOptions } from './functions.js'

/** Makes the calls of the members of `other`. `entry` is the function that the application has called. */
export interface RemoteCalls {
  call(method: string, params: unknown, options?: SendOptions, entry?: Entry): Promise<unknown>
  stream(method: string, params: unknown, options?: SendOptions, entry?: Entry): RpcStream<unknown>
  /** Resolves when the notification has been handed to the link. */
  notify(method: string, params: unknown, options?: CallOptions, entry?: Entry): Promise<void>
}

/**
 * Makes `other`: an object with a function for each method, and an object of functions for each group.
 *
 * It can be awaited, printed, compared and kept in React state like any object: it is not callable, the members that
 * JavaScript reads of such values (`then`, `toJSON`, `$$typeof`, symbols) are undefined, and a member is the same
 * function each time it is read.
 *
 * @param side the methods of the other side, in their groups; without it, every other name is a method, and may be a
 *   group as well.
 */
export function createRemote(side: ContractSide | undefined, calls: RemoteCalls): object {
  return side ? remoteOfContract(side, calls, '') : remoteOfAnyName(Object.freeze({}), calls, '')
}

function remoteOfContract(side: ContractSide, calls: RemoteCalls, prefix: string): object {
  const remote: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(side)) {
    const path = prefix + name
    remote[name] = isDefinition(member)
      ? callOf(path, member.kind, calls)
      : remoteOfContract(member, calls, `${path}.`)
  }
  return Object.freeze(remote)
}

/** @param target the object, or the function of a method that may be a group as well: it keeps its own members. */
function remoteOfAnyName(target: object, calls: RemoteCalls, prefix: string): object {
  const members = new Map<string, unknown>()
  return new Proxy(target, {
    get(_, name) {
      if (typeof name === 'symbol' || !isCallableName(name) || name in target) {
        return Reflect.get(target, name)
      }
      let member = members.get(name)
      if (!member) {
        const path = prefix + name
        member = remoteOfAnyName(callOf(path, 'method', calls), calls, `${path}.`)
        members.set(name, member)
      }
      return member
    },
  })
}

const DOES = { method: 'call', stream: 'stream', notification: 'notify' } as const

/**
 * The function gets its name from an object literal: a name from `Object.defineProperty` takes twice as much memory.
 */
function callOf(name: string, kind: Definition['kind'], calls: RemoteCalls): Entry {
  const does = DOES[kind]
  const member = {
    [name]: (params?: unknown, options?: CallOptions) => calls[does](name, params, options, member),
  }[name] as Entry
  return member
}
