import {
  type AnyClient,
  type CallOptions,
  RpcAbortedError,
  type RpcError,
  type SendOptions,
} from '@flashrpc/core'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { tracedTo } from './call-trace.js'

/** Where the calls of a component stand. */
export interface CallState<Result = unknown, Progress = unknown> {
  /** What the last call that succeeded gave; undefined before. It stays while the next one runs, or fails. */
  readonly data: Result | undefined
  /** What the newest call failed with; null while it runs, and where it was cancelled. */
  readonly error: RpcError | null
  /** Whether the newest call still runs. */
  readonly isPending: boolean
  /** How far the newest call has come, as it last said; undefined before. */
  readonly progress: Progress | undefined
}

export const IDLE_CALL: CallState<never, never> = {
  data: undefined,
  error: null,
  isPending: false,
  progress: undefined,
}

/** Calls a method, of which only the newest call counts: it gives up the one before. */
export class LatestCall {
  readonly store: StoreApi<CallState> = createStore<CallState>(() => IDLE_CALL)
  readonly #client: AnyClient
  readonly #method: string
  /** Of the call that runs. */
  #running: AbortController | undefined
  #options: Pick<CallOptions, 'timeout'> = {}
  #holders = 0

  constructor(client: AnyClient, method: string) {
    this.#client = client
    this.#method = method
  }

  /** Sets the options for calls that have none of their own. */
  follow({ timeout }: { timeout: CallOptions['timeout'] }): void {
    this.#options = timeout === undefined ? {} : { timeout }
  }

  /**
   * A component begins to show the call. @returns a function for when it no longer does. When the last component lets
   * go, the running call is cancelled, at the end of the turn: React lets go and takes hold again at once under
   * StrictMode, and when the component is edited.
   */
  hold(): () => void {
    this.#holders++
    return () => {
      this.#holders--
      queueMicrotask(() => {
        if (this.#holders === 0) this.cancel()
      })
    }
  }

  /** Rejects as a call does; a rejection that nobody waits for is told by the state alone. */
  readonly call = (params?: unknown, options: SendOptions = {}): Promise<unknown> => {
    this.#giveUp()
    const running = new AbortController()
    this.#running = running
    follow(options.signal, running)
    this.store.setState({ error: null, isPending: true, progress: undefined })
    const result = this.#client.call(this.#method, params, {
      ...this.#options,
      ...options,
      ...tracedTo(this.#client, this.call),
      signal: running.signal,
      ...(this.#tellsProgress && {
        onProgress: (progress: never) => {
          if (this.#running === running) this.store.setState({ progress })
          return options.onProgress?.(progress)
        },
      }),
    })
    const settle = (state: Partial<CallState>) => {
      if (this.#running !== running) return
      this.#running = undefined
      this.store.setState({ ...state, isPending: false })
    }
    result.then(
      (data) => settle({ data }),
      (error: RpcError) => settle({ error: error instanceof RpcAbortedError ? null : error }),
    )
    return result
  }

  /** Gives up the call that runs, if any. */
  readonly cancel = (): void => {
    if (this.#giveUp()) this.store.setState({ isPending: false })
  }

  /** … and forgets what came of those before. */
  readonly reset = (): void => {
    this.#giveUp()
    this.store.setState(IDLE_CALL, true)
  }

  get #tellsProgress(): boolean {
    const { contract } = this.#client
    const definition = contract?.server[this.#method]
    return !contract || (definition?.kind === 'method' && definition.progress !== undefined)
  }

  #giveUp(): boolean {
    const running = this.#running
    this.#running = undefined
    running?.abort()
    return running !== undefined
  }
}

/** Aborts one with the other. */
function follow(signal: AbortSignal | undefined, controller: AbortController): void {
  if (signal?.aborted) return controller.abort(signal.reason)
  const abort = () => controller.abort(signal?.reason)
  // The listener goes with the call, one way or the other.
  signal?.addEventListener('abort', abort, { once: true, signal: controller.signal })
}
