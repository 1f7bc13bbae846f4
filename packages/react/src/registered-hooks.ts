import { bindHook } from './bind-hook.js'
import type { RpcHooks } from './create-hooks.js'
import { BoundRpcProvider } from './provider.js'
import type { RegisteredContract } from './register.js'
import { useBoundRpc } from './use-rpc.js'
import { useBoundRpcCall } from './use-rpc-call.js'
import { useBoundRpcClient } from './use-rpc-client.js'
import { useBoundRpcMethod } from './use-rpc-method.js'
import { useBoundRpcPresence } from './use-rpc-presence.js'
import { useBoundRpcState } from './use-rpc-state.js'
import { useBoundRpcStore } from './use-rpc-store.js'
import { useBoundRpcStream } from './use-rpc-stream.js'

/** The hooks of the contract that the application registered. Those that it does not use are in no bundle. */
export type Hooks = RpcHooks<RegisteredContract>

/**
 * Gives the components in it one connection.
 *
 * With `client`, that one, which stays the application's to close. With `url`, `transport` or `socket` it
 * makes a client, connects it once mounted, and closes it when it is unmounted; another address, socket or
 * contract makes another. A `url` or `transport` that is a function may be written inline: the
 * newest is asked at each attempt. Of the other options those of the first render count.
 *
 * A call made while rendering connects, too: a Suspense boundary above the provider waits for it before anything is
 * mounted. A client that nobody comes to mount closes 5 s after its last call. On a server that renders, a client that
 * the provider makes opens no socket: its calls reject at once, with `RpcDisconnectedError` (`not-sent`), and are made
 * in the page.
 *
 * @throws {RpcConfigError} (rendering) if the target or an option is wrong.
 */
export const RpcProvider: Hooks['RpcProvider'] = /* @__PURE__ */ bindHook(
  BoundRpcProvider,
  undefined,
)

/**
 * The other side as an object of functions: `rpc.add({ a, b })`. The same object at every render, so
 * it may stand in dependency lists; call it in handlers and effects, not while rendering.
 */
export const useRpc: Hooks['useRpc'] = /* @__PURE__ */ bindHook(useBoundRpc, undefined)

/**
 * The calls of a component to one method, for a button, a form, a search:
 * `const { call, data, error, isPending, progress, cancel, reset } = useRpcCall('report')`.
 *
 * Only the newest call counts: it cancels the one before, whose answer is never shown. The call is also cancelled
 * when the component is unmounted. `data` stays while the next call runs, or fails. `error` and `progress` are those
 * of the newest call.
 */
export const useRpcCall: Hooks['useRpcCall'] = /* @__PURE__ */ bindHook(useBoundRpcCall, undefined)

/** The client itself: `reconnect()`, calls by name, and everything else it can do. */
export const useRpcClient: Hooks['useRpcClient'] = /* @__PURE__ */ bindHook(
  useBoundRpcClient,
  undefined,
)

/**
 * Lets the server call this component while it is mounted: `useRpcMethod('confirm', ({ text }) => …)`.
 *
 * The newest closure runs, so that an inline function sees the newest props and state, and the method is registered
 * once. If several components register one name, a method goes to the one mounted last, and a notification to all.
 * The server knows which methods are mounted (`channel.has`). While none is, a call is answered −32601 with
 * `data.reason: 'not-mounted'`, or it waits for the next component to mount: for the `waitForMount` of the one that
 * was unmounted last, otherwise of the provider, in ms.
 *
 * @throws {RpcConfigError} (in an effect) if the contract has no such method, or an option is wrong.
 */
export const useRpcMethod: Hooks['useRpcMethod'] = /* @__PURE__ */ bindHook(
  useBoundRpcMethod,
  undefined,
)

/**
 * The members of a group of the server (`channel.join(group, { info })`), live:
 * `const { members, status, error } = useRpcPresence<{ name: string }>('room')`.
 *
 * The option `presence` of the server says which clients may see which group. Each member has an `id`, the `info`
 * with which the server has joined it (it is not validated), whether it has a connection, and its mounted methods.
 * Components that watch the same group share one stream, which ends when the last of them is unmounted. If the
 * connection is lost, the members that were known last stay, with the status `waiting`. If the client must not see
 * the group, `error` says so, and `restart()` asks again. In a cluster, the members are those at all nodes, and
 * `unreached` names nodes that could not be asked.
 *
 * @throws {RpcConfigError} (rendering) if the group's name is not text, or is empty.
 */
export const useRpcPresence: Hooks['useRpcPresence'] = /* @__PURE__ */ bindHook(
  useBoundRpcPresence,
  undefined,
)

/**
 * The connection's state, or the part that a selector takes from it: `useRpcState((s) => s.status)`. The component
 * renders again only when the selected value changes. Objects and arrays that a selector makes are compared by their
 * members.
 */
export const useRpcState: Hooks['useRpcState'] = /* @__PURE__ */ bindHook(
  useBoundRpcState,
  undefined,
)

/** The zustand store of the connection's state itself, for use outside of rendering. */
export const useRpcStore: Hooks['useRpcStore'] = /* @__PURE__ */ bindHook(
  useBoundRpcStore,
  undefined,
)

/**
 * A stream of the server, read while the component is mounted:
 * `const { latest, items, status, error, restart } = useRpcStream('ticks', { everyMs: 100 }, { keep: 50 })`.
 *
 * With other params, another stream is read. Plain data are compared by value, so that they may be written inline. An
 * instance of a class is equal only to itself. Items are rendered at most about 60 times a second, and `onItem` is
 * called with each of them. A stream that was lost with its connection is asked for again. After any other end,
 * `restart()` asks for it again.
 *
 * @throws {RpcConfigError} (rendering) if its params are a new instance of a class each time.
 */
export const useRpcStream: Hooks['useRpcStream'] = /* @__PURE__ */ bindHook(
  useBoundRpcStream,
  undefined,
)
