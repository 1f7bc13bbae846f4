import type { Awaitable } from '../calls/functions.js'

/**
 * A store of a server's answers by key, so that a call runs once, however often it is sent.
 *
 * A store on a disk outlives the process. A store that several servers share lets a call go on from one server to
 * another. All values are text, and the store does not interpret them.
 *
 * @example
 * A table with the columns `key` (primary), `fingerprint`, `answer` and `begun_at`, where `begin` inserts
 * and, on a conflict, selects.
 */
export interface ResultStore {
  /**
   * Identifies the content of the store, in at most 1,024 characters. After a restart it is the same if the content is
   * still there, and another one if the store begins empty. Clients send calls again only if it is the same.
   */
  readonly id: string
  /**
   * The least time, in ms, for which a key is kept after its call began. Clients rely on it. If the store measures time
   * by a clock that can be set, such as that of a database, it must keep keys longer than this, by as much as the clock
   * may be set.
   */
  readonly ttlMs: number
  /**
   * Records that a call begins, unless its key is there already. It must be atomic: of two calls that come at once,
   * also from two servers, one is new. It resolves when the record is safe against the failures that the store is meant
   * to survive.
   *
   * @param fingerprint 43 characters that identify the call's method and params.
   * @param owner the owner of the call (the endpoint's option `owner`), if it is known. A store with limits can use it
   *   so that one owner does not fill the store.
   * @param node the id of this node, if the endpoint is one of a cluster. If the store records it with a new call, and
   *   tells it as `node` of `running`, a call goes on as long as any node has callers that wait for it. Otherwise only the
   *   callers at its own node count.
   * @throws {RpcOverloadedError} if no more can be kept. If it throws any error, the call is not run.
   */
  begin(key: string, fingerprint: string, owner?: string, node?: string): Awaitable<BegunCall>
  /**
   * Records the answer of a call that was new. It resolves when the record is as safe as that of `begin`. Only then is
   * the caller answered. If it fails, the caller is answered all the same, and `finish` may be called again with the
   * same answer.
   */
  finish(key: string, answer: string): Awaitable<void>
  /**
   * Releases a key that `begin` recorded as new: its call was not run, because its caller waited no longer. The key is
   * new again. If the store does not have this function, the answer of such a key is `RpcUncertainError`.
   */
  release?(key: string): Awaitable<void>
}

/** The state of a key when a call with it begins. */
export type BegunCall =
  | {
      /** The key was not recorded. It is recorded now, and this call runs. */
      readonly state: 'new'
    }
  | {
      /** Another call has begun, in a process that still runs. The store is asked again until there is an answer. */
      readonly state: 'running'
      /** The fingerprint of that call. */
      readonly fingerprint: string
      /** The `node` that began that call, if it was recorded. */
      readonly node?: string
    }
  | {
      /** Another call has been answered. */
      readonly state: 'done'
      /** The fingerprint of that call. */
      readonly fingerprint: string
      /** The answer, as it was recorded. */
      readonly answer: string
    }
  | {
      /** Another call has begun, in a process that ended before there was an answer. The result is not known. */
      readonly state: 'unknown'
      /** The fingerprint of that call. */
      readonly fingerprint: string
    }
