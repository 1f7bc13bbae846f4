import {
  type AnyClient,
  type CallOptions,
  RpcDisconnectedError,
  type RpcError,
} from '@flashrpc/core'
import { createStore, type StoreApi } from 'zustand/vanilla'

/** Where a stream that is read stands. */
export interface StreamState<Item = unknown> {
  /** The item that came last; undefined before the first. */
  readonly latest: Item | undefined
  /** The newest items, the last one at the end, as many as are kept. */
  readonly items: readonly Item[]
  /**
   * `idle`: not asked for. `waiting`: asked for, and nothing has come yet; after a lost connection, again.
   * `streaming`: items come. `paused`: none are taken. `done`: the last one has come. `failed`: see `error`.
   */
  readonly status: 'idle' | 'waiting' | 'streaming' | 'paused' | 'done' | 'failed'
  /** Why it failed; otherwise null. */
  readonly error: RpcError | null
}

export const IDLE_STREAM: StreamState<never> = {
  latest: undefined,
  items: [],
  status: 'idle',
  error: null,
}

/** Where it stands, paused or not. */
type Phase = Exclude<StreamState['status'], 'idle' | 'paused'>

const WAITING: StreamState<never> = { ...IDLE_STREAM, status: 'waiting' }

export interface StreamReaderOptions extends Pick<CallOptions, 'timeout'> {
  readonly params: unknown
  /** How many items are kept. */
  readonly keep: () => number
  /** Whether it is asked for again where its connection was lost, and it with it. */
  readonly restart: () => boolean
  /** Is told each item, in its order. */
  readonly onItem: (item: unknown) => void
}

/**
 * Reads one stream while it is held. Every item is told to `onItem`; the state is published once for all
 * that have come in a turn, so that a fast stream renders no more often than a browser can.
 */
export class StreamReader {
  readonly store: StoreApi<StreamState> = createStore<StreamState>(() => WAITING)
  readonly #client: AnyClient
  readonly #method: string
  readonly #options: StreamReaderOptions
  #holders = 0
  #reading: AbortController | undefined
  #isPaused = false
  /** Goes on where it is paused. */
  #wake = (): void => {}
  #publishing: ReturnType<typeof setTimeout> | undefined
  /** What is published next. */
  #phase: Phase = 'waiting'
  #error: RpcError | null = null
  #latest: unknown
  #items: unknown[] = []

  constructor(client: AnyClient, method: string, options: StreamReaderOptions) {
    this.#client = client
    this.#method = method
    this.#options = options
  }

  /** Reads it while anybody holds it. Both wait for the end of the turn, as StrictMode wants it. */
  hold(): () => void {
    this.#holders++
    queueMicrotask(() => this.#settle())
    return () => {
      this.#holders--
      queueMicrotask(() => this.#settle())
    }
  }

  /** Takes no items, so that the other side has no credit to send more; or goes on. */
  pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    this.#wake()
    this.#publish()
  }

  #settle(): void {
    if (this.#holders > 0 === (this.#reading !== undefined)) return
    if (this.#reading) {
      this.#reading.abort()
      this.#reading = undefined
      this.#wake()
      clearTimeout(this.#publishing)
      this.#publishing = undefined
    } else {
      this.#reading = new AbortController()
      void this.#read(this.#reading.signal)
    }
  }

  /** To its end, over as many runs as it takes. */
  async #read(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#become('waiting')
      const error = await this.#run(signal)
      if (signal.aborted) return
      if (!error) return this.#become('done')
      if (!(error instanceof RpcDisconnectedError && this.#options.restart())) {
        return this.#become('failed', error)
      }
      const { status } = this.#client.state
      const hasStopped = status === 'failed' || status === 'unauthorized' || status === 'closed'
      if (hasStopped) this.#become('failed', error)
      else this.#become('waiting')
      if (!(await connected(this.#client, signal))) return
    }
  }

  /** @returns why it ended, where that was not its end. */
  async #run(signal: AbortSignal): Promise<RpcError | undefined> {
    const { params, timeout } = this.#options
    const options = { signal, ...(timeout !== undefined && { timeout }) }
    try {
      await this.#whileOpen(signal)
      if (signal.aborted) return undefined
      for await (const item of this.#client.stream(this.#method, params, options)) {
        if (signal.aborted) return undefined
        this.#take(item)
        await this.#whileOpen(signal)
      }
      return undefined
    } catch (thrown) {
      return thrown as RpcError
    }
  }

  /** Waits while it is paused. */
  async #whileOpen(signal: AbortSignal): Promise<void> {
    while (this.#isPaused && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #take(item: unknown): void {
    // What an earlier run has left stays until there is something else to show.
    if (this.#phase === 'waiting') this.#items = []
    this.#phase = 'streaming'
    this.#latest = item
    const keep = this.#options.keep()
    this.#items.push(item)
    // Up to twice as many, so that not every item moves all of them.
    if (this.#items.length > 2 * keep) this.#items = newest(this.#items, keep)
    this.#options.onItem(item)
    // A timer, and no frame: hidden pages have none.
    this.#publishing ??= setTimeout(() => this.#publish())
  }

  #become(phase: Phase, error: RpcError | null = null): void {
    this.#phase = phase
    this.#error = error
    this.#publish()
  }

  #publish(): void {
    clearTimeout(this.#publishing)
    this.#publishing = undefined
    const isOver = this.#phase === 'done' || this.#phase === 'failed'
    this.store.setState({
      latest: this.#latest,
      items: newest(this.#items, this.#options.keep()),
      status: this.#isPaused && !isOver ? 'paused' : this.#phase,
      error: this.#error,
    })
  }
}

function newest(items: readonly unknown[], keep: number): unknown[] {
  return items.slice(Math.max(0, items.length - keep))
}

/** Waits until a client is connected. @returns false where the signal aborts first. */
function connected(client: AnyClient, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isConnected: boolean) => {
      unsubscribe()
      signal.removeEventListener('abort', abort)
      resolve(isConnected)
    }
    const look = () => client.state.status === 'connected' && end(true)
    const abort = () => end(false)
    const unsubscribe = client.subscribe(look)
    signal.addEventListener('abort', abort)
    look()
  })
}
