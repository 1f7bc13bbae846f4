import type { RpcError } from '../errors.js'
import type { CallOptions, MethodName, RemoteFunction, ResultOf } from './functions.js'
import type { Peer } from './peer.js'

/** What became of a call at one of its targets. */
export type TargetOutcome<Value, Ch extends Target = Target> = {
  /** The channel it went to, also where that is gone by now. */
  readonly channel: Ch
  /** Its `id`. */
  readonly channelId: string
} & (
  | { readonly status: 'ok'; readonly value: Value }
  | { readonly status: 'error'; readonly error: RpcError }
)

/** As much of a channel as an audience needs. */
export interface Target extends Pick<AnyPeer, 'id'> {
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>
  notify(method: string, params?: unknown, options?: CallOptions): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
type AnyPeer = Peer<any, any>

/** A set of channels called together: those that are in it when a call is made. */
export interface Audience<Remote, Ch extends Target = Target> {
  /** How many channels are in it now. */
  readonly size: number
  /**
   * Sends a notification to each. One that can't be told keeps nobody else from it.
   *
   * @returns to how many it has been handed.
   */
  notify<K extends keyof Remote & string>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): Promise<number>
  /**
   * Calls each, all at once, and waits for all. Never rejects for a target's sake: one that fails,
   * times out or goes away has an outcome like the others.
   *
   * @returns each target's outcome, exactly once, in the order in which they were connected.
   */
  call<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): Promise<TargetOutcome<ResultOf<Remote[K]>, Ch>[]>
  /**
   * Calls each, all at once, when the iteration begins, and yields each target's outcome as it comes,
   * exactly once. Leaving the iteration gives up the calls that are still open.
   */
  each<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): AsyncGenerator<TargetOutcome<ResultOf<Remote[K]>, Ch>, void, undefined>
}

/**
 * Makes an audience of channels that come and go.
 *
 * @param targets who is in it now; asked at every call.
 */
export function createAudience<Remote, Ch extends Target = Target>(
  targets: () => Iterable<Ch>,
): Audience<Remote, Ch> {
  return new LiveAudience(targets) as unknown as Audience<Remote, Ch>
}

/** An audience, its types gone. */
class LiveAudience {
  readonly #targets: () => Iterable<Target>

  constructor(targets: () => Iterable<Target>) {
    this.#targets = targets
  }

  get size(): number {
    return [...this.#targets()].length
  }

  async notify(method: string, params?: unknown, options?: CallOptions): Promise<number> {
    const told = await Promise.allSettled(
      [...this.#targets()].map((target) => target.notify(method, params, options)),
    )
    return told.filter(({ status }) => status === 'fulfilled').length
  }

  call(method: string, params?: unknown, options?: CallOptions): Promise<TargetOutcome<unknown>[]> {
    return Promise.all(
      [...this.#targets()].map((target) => outcomeOf(target, method, params, options)),
    )
  }

  async *each(
    method: string,
    params?: unknown,
    options?: CallOptions,
  ): AsyncGenerator<TargetOutcome<unknown>, void, undefined> {
    const leaving = new AbortController()
    const signals = [leaving.signal, ...(options?.signal ? [options.signal] : [])]
    const signal = AbortSignal.any(signals)
    const arrived: TargetOutcome<unknown>[] = []
    let wake = () => {}
    let open = 0
    for (const target of this.#targets()) {
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
      leaving.abort()
    }
  }
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
    // What a call rejects with is an RpcError, always: see `Peer.other`.
    return { channel: target, channelId, status: 'error', error: error as RpcError }
  }
}
