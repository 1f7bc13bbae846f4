import { type ContractSide, type Definition, isCallableName } from '../contract/contract.js'
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
 * Makes `other`: an object with a function for each method.
 *
 * It can be awaited, printed, compared and kept in React state like any object: it is not callable, the members that
 * JavaScript reads of such values (`then`, `toJSON`, `$$typeof`, symbols) are undefined, and a member is the same
 * function each time it is read.
 *
 * @param side the methods of the other side; without it, every other name is a method.
 */
export function createRemote(side: ContractSide | undefined, calls: RemoteCalls): object {
  return side ? remoteOfContract(side, calls) : remoteOfAnyName(calls)
}

function remoteOfContract(side: ContractSide, calls: RemoteCalls): object {
  const remote: Record<string, unknown> = {}
  for (const [name, { kind }] of Object.entries(side)) remote[name] = callOf(name, kind, calls)
  return Object.freeze(remote)
}

function remoteOfAnyName(calls: RemoteCalls): object {
  const members = new Map<string, unknown>()
  return new Proxy(Object.freeze({}), {
    get(target, name, receiver) {
      if (typeof name === 'symbol' || !isCallableName(name)) {
        return Reflect.get(target, name, receiver)
      }
      let member = members.get(name)
      if (!member) {
        member = callOf(name, 'method', calls)
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
