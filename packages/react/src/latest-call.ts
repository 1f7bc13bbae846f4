import {
  type AnyClient,
  type CallOptions,
  RpcAbortedError,
  RpcConfigError,
  type RpcError,
  type SendOptions,
} from '@flashrpc/core'
import { definitionOf, flatSideOf } from '@flashrpc/core/internal'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { tracedTo } from './call-trace.js'

/** The state of a component's calls to one method. */
export interface CallState<Result = unknown, Progress = unknown> {
  /** The result of the last call that succeeded; undefined before. It stays while the next call runs, or fails. */
  readonly data: Result | undefined
  /** The error of the newest call; null while it runs, and if it was cancelled. */
  readonly error: RpcError | null
  /** Whether the newest call still runs. */
  readonly isPending: boolean
  /** The last progress of the newest call; undefined before. */
  readonly progress: Progress | undefined
}

export const IDLE_CALL: CallState<never, never> = {
  data: undefined,
  error: null,
  isPending: false,
  progress: undefined,
}

/** Calls a method. Only the newest call counts: it cancels the one before. */
export class LatestCall {
  readonly store: StoreApi<CallState> = createStore<CallState>(() => IDLE_CALL)
  readonly #client: AnyClient
  readonly #method: string
  /** Aborts the call that runs. */
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
   * A component begins to show the call. When the last component has released it, the running call is cancelled at
   * the end of the turn: under StrictMode, and when a component is edited, React releases and holds it again at once.
   *
   * @returns a function that releases it.
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

  /** Rejects as a call does. The state has the error, too, so that the promise need not be handled. */
  readonly call = (params?: unknown, options: SendOptions = {}): Promise<unknown> => {
    this.#abort()
    const running = new AbortController()
    this.#running = running
    follow(options.signal, running)
    this.store.setState({ error: null, isPending: true, progress: undefined })
    const result = isEvent(params)
      ? this.#refuse()
      : this.#client.call(this.#method, params, {
          ...this.#options,
          ...options,
          ...tracedTo(this.#client, this.call),
          signal: running.signal,
          ...(this.#hasProgress && {
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

  /** Cancels the call that runs, if any. */
  readonly cancel = (): void => {
    if (this.#abort()) this.store.setState({ isPending: false })
  }

  /** Cancels the call that runs, and removes the data and the error of those before. */
  readonly reset = (): void => {
    this.#abort()
    this.store.setState(IDLE_CALL, true)
  }

  #refuse(): Promise<never> {
    const method = this.#method
    return Promise.reject(
      new RpcConfigError(
        `The params of "${method}" are an event: React passes one to a function that is given as onClick. Write onClick={() => call()}`,
        { method },
      ),
    )
  }

  /** Whether the method may report progress. A contract may say that it does not. */
  get #hasProgress(): boolean {
    const { contract } = this.#client
    const definition = definitionOf(flatSideOf(contract?.server), this.#method)
    return !contract || (definition?.kind === 'method' && definition.progress !== undefined)
  }

  #abort(): boolean {
    const running = this.#running
    this.#running = undefined
    running?.abort()
    return running !== undefined
  }
}

/** Whether it is an event of the browser, or of React. */
function isEvent(params: unknown): boolean {
  if (typeof params !== 'object' || params === null) return false
  return (
    'isPropagationStopped' in params || (typeof Event === 'function' && params instanceof Event)
  )
}

/** Aborts the controller when the signal aborts. */
function follow(signal: AbortSignal | undefined, controller: AbortController): void {
  if (signal?.aborted) return controller.abort(signal.reason)
  const abort = () => controller.abort(signal?.reason)
  // The listener is removed when the call is cancelled.
  signal?.addEventListener('abort', abort, { once: true, signal: controller.signal })
}
