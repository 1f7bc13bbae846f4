import type { CallOptions, MethodName, RemoteFunction, ResultOf } from '../calls/functions.js'
import type { AnyPeer } from '../calls/peer.js'
import { assertSignal } from '../calls/pending-calls.js'
import { SEND_SHARED, SharedNotification, type SharedTarget } from '../calls/shared-notification.js'
import type { At, Name } from '../contract/path.js'
import { RpcConfigError, type RpcError } from '../errors/errors.js'
import { assertFunction, kindOf } from '../errors/options.js'
import { deadlineOf, setDeadline } from '../features/deadlines/deadlines.js'
import { callOf, setCall } from '../features/middleware/run-middleware.js'
import { assertGroup } from './groups.js'

/** The result of a call at one of its targets. */
export type TargetOutcome<Value, Ch extends Target = Target> = {
  /** The channel that was called, even if it has ended since. */
  readonly channel: Ch
  /** Its `id`. */
  readonly channelId: string
} & (
  | {
      /** The call has succeeded. */
      readonly status: 'ok'
      /** Its result. */
      readonly value: Value
    }
  | {
      /** The call has failed. */
      readonly status: 'error'
      /** Why it has failed. */
      readonly error: RpcError
    }
)

/** The part of a channel that an audience uses. */
export interface Target extends Pick<AnyPeer, 'id'> {
  /** Calls a method of the other side. */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>
  /** Sends a notification to the other side. */
  notify(method: string, params?: unknown, options?: CallOptions): Promise<void>
}

/**
 * A set of channels that are called together. Each call goes to the channels that are in the set when the call is made. It
 * takes the options of a call to one channel; each channel gets all of them.
 */
export interface Audience<Remote, Ch extends Target = Target> {
  /** How many channels are in it now. */
  readonly size: number
  /** The channels that are in it now. */
  [Symbol.iterator](): Iterator<Ch>
  /** @returns the audience without some channels, given as channels or as ids. */
  except(channels: Ch | string | Iterable<Ch | string>): Audience<Remote, Ch>
  /**
   * Sends a notification to each channel. It is encoded once for all. A channel that it can't be sent to does not
   * affect the others. It does not wait for a channel that is slow, or for a session that has no connection: the
   * notification is kept for that channel.
   *
   * @returns the number of channels that it was sent to, or is kept for.
   */
  notify<K extends Name<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): Promise<number>
  /**
   * Calls all channels at once, and waits for all. A target that fails, times out or ends does not reject the promise:
   * it has an outcome like the others.
   *
   * @returns each target's outcome, exactly once, in the order in which the audience is iterated.
   */
  call<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): Promise<TargetOutcome<ResultOf<At<Remote, K>>, Ch>[]>
  /**
   * Calls all channels at once when the iteration begins, and yields each target's outcome as it comes, exactly once.
   * If the iteration is left, the calls that are still open are cancelled.
   */
  each<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): AsyncGenerator<TargetOutcome<ResultOf<At<Remote, K>>, Ch>, void, undefined>
}

/**
 * Makes an audience of a set of channels that changes.
 *
 * @param targets returns the channels that are in it now; called for every call.
 * @throws {RpcConfigError} if `targets` is not a function.
 */
export function createAudience<Remote, Ch extends Target = Target>(
  targets: () => Iterable<Ch>,
): Audience<Remote, Ch> {
  assertFunction('createAudience', targets)
  return new LiveAudience(targets) as unknown as Audience<Remote, Ch>
}

/**
 * Makes an audience of the channels of a set that have joined a group.
 *
 * @param channels returns the channels of the set now; called for every call.
 * @throws {RpcConfigError} if the group's name is not text, or is empty.
 */
export function createGroup<
  Remote,
  Ch extends Target & {
    /** The groups that the channel is in. */
    readonly groups: ReadonlySet<string>
  },
>(channels: () => Iterable<Ch>, group: string): Audience<Remote, Ch> {
  assertFunction('createGroup', channels)
  assertGroup(group)
  return createAudience(() => [...channels()].filter(({ groups }) => groups.has(group)))
}

/**
 * Sends a notification to each target. It is encoded once for all.
 *
 * @returns the number of targets that it was sent to, or is kept for.
 */
export async function notifyAll(
  targets: readonly (Target | (Target & SharedTarget))[],
  shared: SharedNotification,
  options: CallOptions | undefined,
): Promise<number> {
  const { method, params } = shared
  const slow: Promise<void>[] = []
  let told = 0
  for (const target of targets) {
    const sent =
      SEND_SHARED in target
        ? target[SEND_SHARED](shared, options)
        : target.notify(method, params, options)
    if (sent) slow.push(sent)
    else told++
  }
  const settled = await Promise.allSettled(slow)
  return told + settled.filter(({ status }) => status === 'fulfilled').length
}

/** An audience without its types. */
class LiveAudience {
  readonly #targets: () => Iterable<Target>

  constructor(targets: () => Iterable<Target>) {
    this.#targets = targets
  }

  get size(): number {
    return [...this.#targets()].length
  }

  [Symbol.iterator](): Iterator<Target> {
    // A copy, because channels may come or go during the iteration.
    return [...this.#targets()].values()
  }

  except(channels: Target | string | Iterable<Target | string>): LiveAudience {
    const left = new Set<unknown>(listed(channels))
    const targets = this.#targets
    return new LiveAudience(() =>
      [...targets()].filter((target) => !left.has(target) && !left.has(target.id)),
    )
  }

  async notify(method: string, params?: unknown, options?: CallOptions): Promise<number> {
    return notifyAll([...this.#targets()], new SharedNotification(method, params), options)
  }

  async call(
    method: string,
    params?: unknown,
    options?: CallOptions,
  ): Promise<TargetOutcome<unknown>[]> {
    return Promise.all(
      [...this.#targets()].map((target) => outcomeOf(target, method, params, options)),
    )
  }

  async *each(
    method: string,
    params?: unknown,
    options?: CallOptions,
  ): AsyncGenerator<TargetOutcome<unknown>, void, undefined> {
    const given = assertSignal(method, options?.signal)
    // Aborts when the loop over the outcomes is left, or when the caller's signal does. (`AbortSignal.any` is missing
    // on some platforms.)
    const leaving = new AbortController()
    const { signal } = leaving
    const abort = () => leaving.abort(given?.reason)
    if (given) inheritCall(given, signal)
    if (given?.aborted) abort()
    else given?.addEventListener('abort', abort, { once: true })
    const arrived: TargetOutcome<unknown>[] = []
    let wake = () => {}
    let open = 0
    for (const target of [...this.#targets()]) {
      open++
      void outcomeOf(target, method, params, { ...options, signal }).then((outcome) => {
        arrived.push(outcome)
        wake()
      })
    }
    try {
      for (; open > 0; open--) {
        if (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve))
        yield arrived.shift() as TargetOutcome<unknown>
      }
    } finally {
      given?.removeEventListener('abort', abort)
      leaving.abort()
    }
  }
}

/**
 * The channels of an argument that is one, or several; each as a channel or as its id.
 *
 * @throws {RpcConfigError} if one is neither.
 */
export function listed<T>(channels: T | Iterable<T>): readonly T[] {
  const isOne = typeof channels === 'string' || !(Symbol.iterator in Object(channels))
  const list = isOne ? [channels as T] : [...(channels as Iterable<T>)]
  for (const one of list) {
    if (typeof one === 'string' || typeof Object(one).id === 'string') continue
    throw new RpcConfigError(
      `except takes channels, their ids, or several of either, not ${kindOf(one)}`,
    )
  }
  return list
}

/** Makes calls with one signal count as calls of the handler that has the other signal. */
export function inheritCall(given: AbortSignal, signal: AbortSignal): void {
  const [deadline, call] = [deadlineOf(given), callOf(given)]
  if (deadline < Number.POSITIVE_INFINITY) setDeadline(signal, deadline)
  if (call) setCall(signal, call)
}

async function outcomeOf(
  target: Target,
  method: string,
  params: unknown,
  options: CallOptions | undefined,
): Promise<TargetOutcome<unknown>> {
  const { id: channelId } = target
  try {
    const value = await target.call(method, params, options)
    return { channel: target, channelId, status: 'ok', value }
  } catch (error) {
    // A call always rejects with an RpcError: see `Peer.other`.
    return { channel: target, channelId, status: 'error', error: error as RpcError }
  }
}
