import { bindHooks, type RpcHooks } from './create-hooks.js'
import type { RegisteredContract } from './register.js'

type Hooks = RpcHooks<RegisteredContract>

/** The hooks of the contract that the application registered. */
const hooks: Hooks = bindHooks<RegisteredContract>(undefined)

/**
 * Gives the components in it one connection.
 *
 * With `client`, that one, which stays the application's to close. With `url` or `transport` it
 * makes a client, connects it once mounted, and closes it when it is unmounted; another address or
 * contract makes another. A `url` or `transport` that is a function may be written inline: the
 * newest is asked at each attempt. Of the other options those of the first render count. Rendering
 * never connects: on a server, no socket is opened.
 *
 * @throws {RpcConfigError} (rendering) where the target or an option is wrong.
 */
export const RpcProvider: Hooks['RpcProvider'] = hooks.RpcProvider

/**
 * The other side as an object of functions: `rpc.add({ a, b })`. The same object at every render, so
 * it may stand in dependency lists; call it in handlers and effects, not while rendering.
 */
export const useRpc: Hooks['useRpc'] = hooks.useRpc

/** The client itself: `reconnect()`, calls by name, and everything else it can do. */
export const useRpcClient: Hooks['useRpcClient'] = hooks.useRpcClient

/**
 * Lets the server call this component while it is mounted: `useRpcMethod('confirm', ({ text }) => …)`.
 *
 * The newest closure runs, so an inline function sees the newest props and state; the method is
 * registered once. Where several components register one name, a method goes to the one mounted
 * last, a notification to all. The server knows which methods are mounted (`channel.has`). While none is, its
 * call is answered −32601 with `data.reason: 'not-mounted'`, or waits for the next one to mount: after this one
 * as many ms as its `waitForMount` says, otherwise as many as the provider's.
 *
 * @throws {RpcConfigError} (in an effect) where the contract has no such method, or an option is wrong.
 */
export const useRpcMethod: Hooks['useRpcMethod'] = hooks.useRpcMethod

/**
 * The connection's state, or what a selector makes of it: `useRpcState((s) => s.status)`. The
 * component renders again only when the selected value is another (`Object.is`): select single
 * fields, not new objects.
 */
export const useRpcState: Hooks['useRpcState'] = hooks.useRpcState

/** The zustand store of the connection's state itself, for use outside of rendering. */
export const useRpcStore: Hooks['useRpcStore'] = hooks.useRpcStore
