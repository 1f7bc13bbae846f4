import type { Awaitable } from '../calls/functions.js'

/**
 * Where a server keeps what it answered, by key, so that a call runs once however often it is sent.
 *
 * It is as good as its memory: one on a disk outlives the process, and one that several servers share
 * lets a call go on from one to the other. All of it is text, and none of it means anything to the store.
 *
 * @example
 * A table with the columns `key` (primary), `fingerprint`, `answer` and `begun_at`, where `begin` inserts
 * and, on a conflict, selects.
 */
export interface ResultStore {
  /**
   * Names what the store has in it, at most 1,024 characters: the same after a restart if it still has it,
   * and another one if it begins empty. Clients send calls again only if it is the same.
   */
  readonly id: string
  /**
   * How long, in ms, a key is kept at least after its call began. Clients rely on it. If the store measures time by a
   * clock that can be set, such as that of a database, it must keep keys longer than this, by as much as the clock may
   * be set.
   */
  readonly ttlMs: number
  /**
   * Records that a call begins, unless its key is there already. In one go: of two that come at once, also
   * from two servers, one is new. It resolves once the record would survive what the store is to survive.
   *
   * @param fingerprint 43 characters that tell the call's method and params from others.
   * @param owner whose the call is, of what all clients share (the endpoint's option `owner`), if that is known: a
   *   store that is bounded for all keeps one of them from filling it.
   * @throws {RpcOverloadedError} if no more can be kept. Whatever is thrown, the call is not run.
   */
  begin(key: string, fingerprint: string, owner?: string): Awaitable<BegunCall>
  /**
   * Records the answer of a call that was new. It resolves once the record is as safe as that of `begin`;
   * only then is the caller answered. If it fails, the caller is answered, too, and it may be called again with
   * the same answer.
   */
  finish(key: string, answer: string): Awaitable<void>
  /**
   * Releases a key that `begin` recorded as new: its call was not run, because nobody waited for it any more. The key
   * is new again. If the store does not have this function, the answer of such a key is `RpcUncertainError`.
   */
  release?(key: string): Awaitable<void>
}

/** What a store knows of a key, as a call with it begins. */
export type BegunCall =
  /** Nothing: this call is recorded now, and runs. */
  | { readonly state: 'new' }
  /** Another has begun, in a process that lives: it is asked for again, until there is an answer. */
  | { readonly state: 'running'; readonly fingerprint: string }
  | { readonly state: 'done'; readonly fingerprint: string; readonly answer: string }
  /** Another has begun, in a process that died before there was an answer: nobody knows. */
  | { readonly state: 'unknown'; readonly fingerprint: string }
